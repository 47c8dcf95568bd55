{{ config(
    unique_key=['item_id'],
    meta={'affected_keys': 'review',
        'indexes': [
            '(delivery_id)',
            '(other_id)',
            '(item_id) where delivery_id is null'
        ]
    }
) }}
select
    check_code,
    item_id,
    regency_code,
    severity,
    owner,
    channel,
    detail,
    delivery_id,
    other_id,
    record_id,
    record_count,
    since_date,
    remediation
from {{ ref('int_review_items__listed') }}
