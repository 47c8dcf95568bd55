{{ config(tags=['static']) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    forwarding_target_code,
    forwarding_target_name,
    violation_type_code,
    issue_code,
    valid_from,
    valid_to,
    is_verified,
    sort_order
from {{ ref('forwarding_target') }}
