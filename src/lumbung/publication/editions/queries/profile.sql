select
    regency_code,
    issue_code,
    case_count,
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
from marts.agg_issue_profile
where week_id = %(week)s and coalesce(left(regency_code, 2) = any(%(provinces)s), true)
