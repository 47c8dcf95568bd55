{{ config(tags=['static']) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    violation_type_code,
    violation_type_name,
    sort_order
from {{ ref('violation_type') }}
