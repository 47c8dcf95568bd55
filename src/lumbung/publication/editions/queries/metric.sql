select
    metric_code,
    category_code,
    regency_code,
    max(value) filter (where week_id = %(week)s and period = 'week') as week_value,
    max(value) filter (where week_id = %(week)s and period = 'to_date') as to_date_value,
    max(value) filter (where week_id = %(before)s and period = 'week') as previous_week_value
from reporting.rpt_metric
where
    week_id in (%(week)s, %(before)s)
    -- in the country's edition the sums of provinces and the country alone
    and length(regency_code) <= %(code_length)s
    and coalesce(left(regency_code, 2) = any(%(provinces)s), true)
group by metric_code, category_code, regency_code
having bool_or(week_id = %(week)s)
