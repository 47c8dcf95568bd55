{{ config(tags=['static']) }}
select
    violation_type_code,
    violation_type_name,
    sort_order
from {{ ref('violation_type') }}
