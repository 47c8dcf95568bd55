select
    needs.regency_code,
    needs.issue_code,
    needs.case_count,
    needs.last_4_weeks_count,
    needs.previous_4_weeks_count,
    needs.trend_code,
    needs.is_marked,
    needs.done_count,
    needs.planned_count,
    needs.gap_count,
    rules.rule_code,
    rules.suggestion,
    rules.suggestion_en
from marts.agg_prevention_need as needs
left join marts.dim_prevention_rule as rules
    on needs.rule_code = rules.rule_code and rules.is_active
where
    needs.week_id = %(week)s
    and coalesce(left(needs.regency_code, 2) = any(%(provinces)s), true)
    and (needs.case_count > 0 or needs.done_count > 0 or needs.planned_count > 0)
order by needs.regency_code collate "C", needs.issue_code collate "C"
