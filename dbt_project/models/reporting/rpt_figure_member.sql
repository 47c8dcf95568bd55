-- depends_on: {{ ref('int_build__checked') }}
select
    figure_code,
    category_code,
    regency_code,
    week_id,
    member_id
from {{ ref('int_figure_members__listed') }}
