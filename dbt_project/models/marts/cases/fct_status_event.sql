{{ config(
    unique_key=['report_id'],
    meta={'affected_keys': 'delivery', 'indexes': ['(is_illegal, seen_at, report_id)']}
) }}
select
    report_id,
    event_number,
    channel,
    regency_code,
    from_status_code,
    to_status_code,
    not_before_date,
    seen_date,
    seen_at,
    is_illegal,
    record_id
from {{ ref('int_status_events__ordered') }}
