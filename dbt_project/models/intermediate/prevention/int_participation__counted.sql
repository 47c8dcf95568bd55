{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[
        {'columns': ['regency_code', 'week_id', 'channel'], 'unique': true},
    ],
    meta={'affected_keys': 'week'}
) }}
-- What citizens and observers brought to each regency's offices, by channel and week of receipt: reports
-- and tips. A finding is the supervisor's own.
with received as (
    select
        regency_code,
        week_id,
        channel,
        count(*) filter (where record_kind = 'LP') as laporan_count,
        count(*) filter (where record_kind = 'IA') as tip_count,
        count(*) as participation_count
    from {{ ref('int_reports__located') }}
    where record_kind in ('LP', 'IA') and {{ is_affected('regency_code, week_id', 'week') }}
    group by regency_code, week_id, channel
)

select
    received.*,
    trim_scale(10000 * received.participation_count::numeric / nullif(regencies.voter_count, 0))
        as per_10000_voters
from received
inner join {{ ref('regency') }} as regencies on received.regency_code = regencies.regency_code
