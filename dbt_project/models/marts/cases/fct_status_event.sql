{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[{'columns': ['is_illegal', 'seen_at', 'report_id']}],
    meta={'affected_keys': 'delivery'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
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
where {{ is_affected('report_id', 'delivery') }}
