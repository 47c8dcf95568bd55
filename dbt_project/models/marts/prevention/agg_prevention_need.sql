{{ config(meta={'indexes': ['(week_id)']}) }}
select
    regency_code,
    issue_code,
    week_id,
    case_count,
    last_4_weeks_count,
    previous_4_weeks_count,
    trend_code,
    is_marked,
    done_count,
    done_participant_count,
    done_by_form,
    done_by_target_group,
    reached_group_count,
    reached_group_pct,
    planned_count,
    gap_count,
    recap_count,
    rule_code,
    suggested_form_code,
    suggested_kind_code,
    suggested_target_group_code
from {{ ref('int_prevention_needs__suggested') }}
