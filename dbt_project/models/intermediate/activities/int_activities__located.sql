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
    records.venue_code as venue_kind_code,
    records.prevention_type_code,
    -- an entry of the Formulir Pencegahan, which the metrics of recaps do not count
    records.channel in (
        select fields.channel
        from {{ source('reference', 'channel_field') }} as fields
        group by fields.channel
        having
            bool_or(fields.field = 'prevention_form')
            and not bool_or(fields.field in ('activity_kind', 'prevention_type'))
    ) as is_form_entry,
    places.village_code,
    -- what an entry says; where it does not, what its kind or a recap's word belongs to
    coalesce(records.prevention_form_code, kinds.prevention_form_code) as prevention_form_code,
    kinds.prevention_kind_code,
    records.activity_stage_code as stage_code,
    records.office_level_code,
    records.participant_count,
    records.received_at,
    records.record_id
from {{ ref('int_records__typed') }} as records
left join {{ ref('int_places__resolved') }} as places on records.place_id = places.place_id
left join {{ ref('prevention_type') }} as types
    on records.prevention_type_code = types.prevention_type_code
left join {{ ref('prevention_kind') }} as kinds
    on coalesce(records.prevention_kind_code, types.prevention_kind_code) = kinds.prevention_kind_code
where
    records.exclusion_code is null
    and records.kind_code in ('LHP', 'PREV', 'NIHIL')
    and {{ is_affected('records.delivery_id', 'delivery') }}
