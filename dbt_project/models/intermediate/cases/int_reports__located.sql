{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[
        {'columns': ['report_id'], 'unique': true},
        {'columns': ['regency_code', 'received_date']},
        {'columns': ['district_code', 'occurred_date']},
        {'columns': ['regency_code', 'week_id']},
        {'columns': ['register_area_code', 'register_month_date', 'register_sequence']},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- depends_on: {{ ref('int_keys__previous') }}
-- One row per case that counts: laporan (LP), temuan (TM), informasi awal (IA).
with passed_on as (
    -- Forwarding a case says nothing about its registration: the outcome in the last earlier version is
    -- kept.
    select
        records.delivery_id,
        earlier.registration_outcome
    from {{ ref('int_records__typed') }} as records
    inner join {{ ref('status') }} as statuses on records.status_code = statuses.status_code
    cross join lateral (
        select said.registration_outcome
        from {{ ref('stg_intake__status_versions') }} as versions
        inner join {{ mapped_terms('status') }} as maps
            on ops.term_key(versions.status_raw) = maps.term
        inner join {{ ref('status') }} as said on maps.code = said.status_code
        where
            versions.source_key = hashtextextended(records.source_id, 0)
            and versions.source_id = records.source_id
            and versions.channel = records.channel
            and said.registration_outcome is not null
        order by versions.record_id desc
        limit 1
    ) as earlier
    where
        statuses.registration_outcome is null
        and {{ is_affected('records.delivery_id', 'delivery') }}
),

registered as (
    -- Reg was removed from the number: the case stays registered until its row has another status than it
    -- had with Reg.
    select records.delivery_id
    from {{ ref('int_records__typed') }} as records
    left join {{ ref('status') }} as statuses on records.status_code = statuses.status_code
    cross join lateral (
        select
            versions.record_id,
            maps.code
        from {{ ref('stg_intake__status_versions') }} as versions
        left join {{ mapped_terms('status') }} as maps on ops.term_key(versions.status_raw) = maps.term
        where
            versions.source_key = hashtextextended(records.source_id, 0)
            and versions.source_id = records.source_id
            and versions.channel = records.channel
            and {{ is_registered_number('versions.register_number_raw') }}
        order by versions.record_id desc
        limit 1
    ) as last_version
    where
        records.kind_code in ('LP', 'TM')
        and not records.has_registered_number
        and coalesce(statuses.registration_outcome, 'pending') = 'pending'
        and {{ is_affected('records.delivery_id', 'delivery') }}
        and not exists (
            select 1
            from {{ ref('stg_intake__status_versions') }} as later
            inner join {{ mapped_terms('status') }} as said on ops.term_key(later.status_raw) = said.term
            where
                later.source_key = hashtextextended(records.source_id, 0)
                and later.source_id = records.source_id
                and later.channel = records.channel
                and later.record_id > last_version.record_id
                and said.code is distinct from last_version.code
        )
)

select
    records.delivery_id as report_id,
    records.channel,
    records.kind_code as record_kind,
    records.register_number,
    records.register_sequence,
    records.register_election_code,
    records.register_level_code,
    records.register_area_code,
    records.register_month_date,
    -- Reg was removed from the number, and the source gives no reason
    registered.delivery_id is not null as is_registration_kept,
    places.regency_code,
    places.district_code,
    places.village_code,
    places.location_method,
    places.location_confidence,
    records.occurred_date,
    records.known_date,
    records.counted_date as received_date,
    records.received_at,
    {{ week_id('records.counted_date') }} as week_id,
    coalesce(occurred.stage_code, received.stage_code) as stage_code,
    records.status_code,
    case
        when records.kind_code = 'IA' then null
        -- A status that decides prevails over the number; a number with Reg prevails over an open status.
        when coalesce(statuses.registration_outcome, passed_on.registration_outcome) <> 'pending'
            then coalesce(statuses.registration_outcome, passed_on.registration_outcome)
        when records.has_registered_number or registered.delivery_id is not null then 'registered'
        else 'pending'
    end as registration_outcome,
    case
        when
            records.kind_code <> 'IA'
            and coalesce(statuses.registration_outcome, passed_on.registration_outcome)
            = 'not_registered'
            then records.status_reason_code
    end as non_registration_reason_code,
    records.reporter_key,
    records.observer_organisation_code,
    records.accused_role_code,
    case
        when records.kind_code <> 'IA'
            then
                coalesce(
                    records.forwarding_target_code,
                    case when statuses.result_code = 'FORWARDED' then 'UNSTATED' end
                )
    end as forwarding_target_code,
    coalesce(records.follow_up_code = 'closed' or statuses.result_code = 'CLOSED', false)
        as is_follow_up_closed,
    coalesce(records.during_campaign_event_code, 'UNKNOWN') as campaign_context_code,
    records.counted_date - records.known_date > {{ var('days_to_report') }} as is_late,
    {%- for field in canonical_fields() if field.parser == 'list' and 'LP' in field.record_kinds %}
    records.{{ field.column }},
    {%- endfor %}
    records.record_id
from {{ ref('int_records__typed') }} as records
left join {{ ref('int_places__resolved') }} as places on records.place_id = places.place_id
left join {{ ref('status') }} as statuses on records.status_code = statuses.status_code
left join passed_on on records.delivery_id = passed_on.delivery_id
left join registered on records.delivery_id = registered.delivery_id
-- An event date after the day of receipt is a typing error, which may lie outside the calendar.
left join {{ ref('int_calendar__staged') }} as occurred
    on records.occurred_date = occurred.date_day and records.occurred_date <= records.counted_date
left join {{ ref('int_calendar__staged') }} as received on records.counted_date = received.date_day
where
    records.exclusion_code is null
    and records.kind_code in ('LP', 'TM', 'IA')
    and {{ is_affected('records.delivery_id', 'delivery') }}
