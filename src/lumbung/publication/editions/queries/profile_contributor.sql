select
    metric_code,
    category_code,
    regency_code,
    week_id,
    contributor_id
from reporting.rpt_edition_contributor
where
    metric_code = 'profile'
    and week_id <= %(week)s
    and coalesce(left(regency_code, 2) = any(%(provinces)s), true)
