{{ config(unique_key=['prevention_id'], meta={'affected_keys': 'delivery'}) }}
select
    activity_id as prevention_id,
    channel,
    regency_code,
    district_code,
    village_code,
    activity_date,
    week_id,
    prevention_form_code,
    prevention_kind_code,
    prevention_type_code,
    stage_code,
    office_level_code,
    venue_kind_code,
    participant_count,
    is_form_entry,
    record_id
from {{ ref('int_activities__located') }}
where record_kind = 'PREV'
