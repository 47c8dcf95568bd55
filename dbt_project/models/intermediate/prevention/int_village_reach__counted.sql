{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[
        {'columns': ['regency_code', 'week_id', 'village_code'], 'unique': true},
    ],
    meta={'affected_keys': 'week'}
) }}
-- The prevention activities in each village and week, where the village is stated.
select
    regency_code,
    week_id,
    village_code,
    count(*) as activity_count,
    sum(participant_count) as participant_count
from {{ ref('int_activities__located') }}
where
    record_kind = 'PREV'
    and village_code is not null
    and {{ is_affected('regency_code, week_id', 'week') }}
group by regency_code, week_id, village_code
