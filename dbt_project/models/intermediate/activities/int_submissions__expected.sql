{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[
        {'columns': ['district_code', 'week_id'], 'unique': true},
        {'columns': ['regency_code', 'week_id']},
    ],
    meta={'affected_keys': 'week'}
) }}
-- One row per district where the election is held and campaign week that has ended, whether or not the
-- district delivered a row of its recap. A channel delivers a recap if it maps activity_kind.
with delivered as (
    select
        district_code,
        week_id,
        count(*) as row_count,
        count(*) filter (where record_kind = 'LHP') as event_count,
        count(*) filter (where record_kind = 'PREV') as prevention_count,
        min(received_at) as first_received_at,
        max(received_at) as last_received_at,
        array_agg(record_id order by record_id) as record_ids
    from {{ ref('int_activities__located') }}
    where district_code is not null and is_recap and {{ is_affected('regency_code, week_id', 'week') }}
    group by district_code, week_id
)

select
    districts.district_code,
    weeks.week_id,
    districts.regency_code,
    delivered.row_count is not null as is_submitted,
    coalesce(delivered.row_count, 0) as row_count,
    coalesce(delivered.event_count, 0) as event_count,
    coalesce(delivered.prevention_count, 0) as prevention_count,
    delivered.first_received_at,
    delivered.last_received_at,
    coalesce(delivered.record_ids, '{}') as record_ids
from {{ ref('district') }} as districts
inner join {{ ref('election_event') }} as events
    on
        events.regency_codes is null
        or districts.regency_code = any(string_to_array(events.regency_codes, ' '))
cross join {{ ref('int_weeks__spanned') }} as weeks
left join delivered
    on districts.district_code = delivered.district_code and weeks.week_id = delivered.week_id
where
    weeks.is_campaign
    and weeks.is_ended
    and {{ is_affected('districts.regency_code, weeks.week_id', 'week') }}
