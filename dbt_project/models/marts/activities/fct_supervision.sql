{{ config(unique_key=['supervision_id'], meta={'affected_keys': 'delivery'}) }}
select
    activity_id as supervision_id,
    channel,
    regency_code,
    district_code,
    activity_date,
    week_id,
    election_code,
    method_code,
    venue_kind_code,
    is_recap,
    record_id
from {{ ref('int_activities__located') }}
where record_kind = 'LHP'
