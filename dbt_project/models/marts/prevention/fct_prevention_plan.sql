select
    plan_id,
    channel,
    regency_code,
    start_date,
    end_date,
    prevention_form_code,
    issue_codes,
    target_group_codes,
    office_level_code,
    planned_activity_count,
    planned_participant_count,
    done_activity_count,
    done_participant_count,
    remaining_activity_count,
    is_overdue,
    record_id
from {{ ref('int_prevention_plans__measured') }}
