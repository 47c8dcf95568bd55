{{ config(unique_key=['week_id'], meta={'affected_keys': 'profile', 'indexes': ['(week_id)']}) }}
select
    regency_code,
    issue_code,
    week_id,
    case_count,
    suspected_violation_count,
    tip_count,
    base_count,
    share_pct,
    province_share_pct,
    location_quotient,
    location_quotient_lower,
    location_quotient_upper,
    is_marked,
    last_4_weeks_count,
    previous_4_weeks_count,
    trend_code,
    prevention_count,
    last_4_weeks_prevention_count
from {{ ref('int_issue_profiles__measured') }}
