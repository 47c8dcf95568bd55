{{ config(tags=['static']) }}
select
    rule_code,
    record_kind,
    valid_from,
    valid_to,
    rule_name,
    rule_name_en,
    limit_days,
    extension_days,
    legal_source,
    is_verified,
    sort_order
from {{ ref('deadline_rule') }}
