-- depends_on: {{ ref('int_build__checked') }}
select
    check_code,
    item_id,
    regency_code,
    severity,
    owner,
    channel,
    detail,
    delivery_id,
    record_id,
    record_count,
    since_date,
    cure
from {{ ref('int_review_items__summed') }}
