{{ config(tags=['static']) }}
select
    violation_type_code,
    violation_type_name,
    violation_type_name_en,
    sort_order
from {{ ref('violation_type') }}
