select
    contributor_id,
    record_id
from reporting.rpt_contributor_record
where week_id <= %(week)s
union all
select
    plan_id as contributor_id,
    record_id
from marts.fct_prevention_plan
where
    planned_activity_count > 0
    and start_date < %(day)s
    and end_date >= %(day)s - 28
