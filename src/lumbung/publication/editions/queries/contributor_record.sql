select
    contributor_id,
    record_id
from reporting.rpt_contributor_record
where week_id <= %(week)s and coalesce(left(regency_code, 2) = any(%(provinces)s), true)
union all
select
    plan_id as contributor_id,
    record_id
from marts.fct_prevention_plan
where
    planned_activity_count > 0
    and start_date < %(day)s
    and end_date >= %(day)s - 28
    and coalesce(left(regency_code, 2) = any(%(provinces)s), true)
