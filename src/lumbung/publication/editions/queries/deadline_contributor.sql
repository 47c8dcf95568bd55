select
    metric_code,
    category_code,
    left(regency_code, %(code_length)s) as regency_code,
    week_id,
    contributor_id
from reporting.rpt_edition_contributor
where
    metric_code = 'deadline'
    and week_id = %(week)s
    and coalesce(left(regency_code, 2) = any(%(provinces)s), true)
