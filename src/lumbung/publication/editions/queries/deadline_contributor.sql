-- Judged at the edition's day, on what is known now: what ended later ran then, and where that day
-- lies between the bounds of a start or an end (fct_deadline), it may have been open: its last day
-- may have passed as soon as the earliest one has. The extended limit counts. Contributors of the
-- metrics `deadline/RULE/REGENCY/STATE`.
select
    'deadline' as metric_code,
    rule_code || '/' || case
        when end_to_date <= least(%(day)s, surely_until) then 'MET'
        when end_to_date <= %(day)s and end_from_date > extended_due_date then 'MISSED'
        when end_to_date <= %(day)s then 'MAYBE_MISSED'
        when %(day)s > extended_due_date and is_surely_open then 'OVERDUE'
        when %(day)s > surely_until then 'MAYBE_OVERDUE'
        when not is_surely_open then 'MAYBE_OPEN'
        when surely_until - %(day)s < 3 then 'DAYS_' || surely_until - %(day)s
        when surely_until - %(day)s < 6 then 'DAYS_3'
        else 'DAYS_6'
    end as category_code,
    regency_code,
    %(week)s as week_id,
    report_id as contributor_id
from (
    select
        *,
        extended_due_date - (start_to_date - start_from_date) as surely_until,
        start_to_date <= %(day)s
        and (end_from_date is null or %(day)s < end_from_date) as is_surely_open
    from marts.fct_deadline
    where start_from_date <= %(day)s
) as deadlines
