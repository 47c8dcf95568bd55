{{ config(unique_key=['regency_code', 'week_id'], meta={'affected_keys': 'week'}) }}
select
    regency_code,
    week_id,
    village_code,
    activity_count,
    participant_count
from {{ ref('int_village_reach__counted') }}
