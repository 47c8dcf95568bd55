select
    metric_code,
    category_code,
    regency_code,
    week_id,
    contributor_id
from reporting.rpt_edition_contributor
where
    metric_code = 'district'
    and week_id between %(first)s and %(last)s
    and coalesce(left(regency_code, 2) = any(%(provinces)s), true)
