{{ config(meta={'indexes': ['(week_id)']}) }}
select
    regency_code,
    target_group_code,
    week_id,
    activity_count,
    participant_count,
    last_4_weeks_activity_count,
    is_met
from {{ ref('int_outreach__counted') }}
