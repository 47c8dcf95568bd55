-- the plans that "planned" and "gap" of the needs are made of: those whose period meets the four weeks
select
    'prevention_plan' as metric_code,
    issues.issue_code as category_code,
    plans.regency_code,
    %(week)s::text as week_id,
    plans.plan_id as contributor_id
from marts.fct_prevention_plan as plans
cross join lateral unnest(plans.issue_codes) as issues (issue_code)
where
    plans.planned_activity_count > 0
    and coalesce(left(plans.regency_code, 2) = any(%(provinces)s), true)
    and plans.start_date < %(day)s
    and plans.end_date >= %(day)s - 28
