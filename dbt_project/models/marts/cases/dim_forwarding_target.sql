{{ config(tags=['static']) }}
select
    forwarding_target_code,
    forwarding_target_name,
    forwarding_target_name_en,
    violation_type_code,
    issue_code,
    valid_from,
    valid_to,
    is_verified,
    sort_order
from {{ ref('forwarding_target') }}
