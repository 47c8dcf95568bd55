{{ config(tags=['static']) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    status_code,
    status_name,
    registration_outcome,
    result_code,
    sort_order
from {{ ref('status') }}
