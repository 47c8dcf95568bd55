{{ config(tags=['static'], meta={'published_as': 'view'}) }}
-- Running sums of cases received and settled. What may have been settled on a day no longer surely waits. No
-- step comes before receipt, which a register may correct to a later day.
with changes as (
    select
        cases.regency_code,
        greatest(steps.date_day, cases.received_date) as date_day,
        sum(steps.undecided_min) as undecided_min,
        sum(steps.undecided_max) as undecided_max,
        sum(steps.unfinished_min) as unfinished_min,
        sum(steps.unfinished_max) as unfinished_max
    from {{ ref('fct_case_lifecycle') }} as cases
    cross join lateral (
        values
        (cases.received_date, 1, 1, 1, 1),
        (cases.decided_from_date, -1, 0, 0, 0),
        (cases.decided_to_date, 0, -1, 0, 0),
        (cases.concluded_from_date, 0, 0, -1, 0),
        (cases.concluded_to_date, 0, 0, 0, -1)
    ) as steps (date_day, undecided_min, undecided_max, unfinished_min, unfinished_max)
    where steps.date_day is not null
    group by cases.regency_code, greatest(steps.date_day, cases.received_date)
)

select
    days.date_day,
    days.week_id,
    days.regency_code,
    coalesce(sum(changes.undecided_min) over up_to_day, 0)::bigint as undecided_min_count,
    coalesce(sum(changes.undecided_max) over up_to_day, 0)::bigint as undecided_max_count,
    coalesce(sum(changes.unfinished_min) over up_to_day, 0)::bigint as unfinished_min_count,
    coalesce(sum(changes.unfinished_max) over up_to_day, 0)::bigint as unfinished_max_count
from {{ ref('fct_regency_day') }} as days
left join changes on days.regency_code = changes.regency_code and days.date_day = changes.date_day
window up_to_day as (partition by days.regency_code order by days.date_day)
