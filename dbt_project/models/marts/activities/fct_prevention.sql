{{ config(unique_key=['prevention_id'], meta={'affected_keys': 'delivery'}) }}
select
    activity_id as prevention_id,
    channel,
    regency_code,
    district_code,
    activity_date,
    week_id,
    prevention_type_code,
    record_id
from {{ ref('int_activities__located') }}
where record_kind = 'PREV'
