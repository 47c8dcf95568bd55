{{ config(tags=['static']) }}
select
    reason_code as non_registration_reason_code,
    reason_name as non_registration_reason_name,
    reason_name_en as non_registration_reason_name_en,
    sort_order
from {{ ref('non_registration_reason') }}
