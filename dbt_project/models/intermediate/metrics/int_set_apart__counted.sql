{{ config(
    materialized='incremental',
    unique_key=['channel', 'reason_code', 'week_id'],
    indexes=[
        {'columns': ['channel', 'reason_code', 'week_id'], 'unique': true},
    ],
    meta={'scope': 'set_apart'}
) }}
-- What was set apart, counted by channel, reason and week; week '' where it is not known.
select
    channel,
    reason_code,
    coalesce(week_id, '') as week_id,
    min(reason) as reason,
    count(*) as record_count
from {{ ref('int_records__set_apart') }}
where {{ in_scope("channel, reason_code, coalesce(week_id, '')", 'set_apart') }}
group by channel, reason_code, coalesce(week_id, '')
