{{ config(
    materialized='incremental',
    unique_key=['activity_id'],
    indexes=[
        {'columns': ['activity_id'], 'unique': true},
        {'columns': ['regency_code', 'activity_date']},
        {'columns': ['regency_code', 'week_id']},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- depends_on: {{ ref('int_keys__previous') }}
-- One row per activity that counts: a supervised campaign event (LHP of a recap), another
-- supervision log (LHP), a prevention action (PREV), or the statement that there was nothing to
-- report (NIHIL).
select
    records.delivery_id as activity_id,
    records.channel,
    records.kind_code as record_kind,
    -- rows of a district's recap; another supervision log (Form A) may describe the same event
    records.is_recap,
    places.regency_code,
    places.district_code,
    records.counted_date as activity_date,
    {{ week_id('records.counted_date') }} as week_id,
    records.election_code,
    records.method_code,
    records.prevention_type_code,
    records.received_at,
    records.record_id
from {{ ref('int_records__typed') }} as records
left join {{ ref('int_places__resolved') }} as places on records.place_id = places.place_id
where
    records.exclusion_code is null
    and records.kind_code in ('LHP', 'PREV', 'NIHIL')
    and {{ is_affected('records.delivery_id', 'delivery') }}
