-- depends_on: {{ ref('int_build__checked') }}
select
    figure_code,
    category_code,
    regency_code,
    week_id,
    period,
    value
from {{ ref('int_figures__counted') }}
