{{ config(
    materialized='incremental',
    unique_key=['channel', 'reason_code', 'week_id'],
    indexes=[
        {'columns': ['channel', 'reason_code', 'week_id'], 'unique': true},
    ],
    meta={'affected_keys': 'excluded'}
) }}
-- Excluded deliveries by channel, reason and week; the week is '' where it is not known.
select
    channel,
    reason_code,
    coalesce(week_id, '') as week_id,
    min(reason) as reason,
    count(*) as record_count
from {{ ref('int_records__excluded') }}
where {{ is_affected("channel, reason_code, coalesce(week_id, '')", 'excluded') }}
group by channel, reason_code, coalesce(week_id, '')
