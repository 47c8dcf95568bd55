-- what details the cases of a regency in the period of the districts' table
select
    'detail' as metric_code,
    metric_code || '/' || category_code as category_code,
    regency_code,
    week_id,
    contributor_id
from reporting.rpt_metric_contributor
where
    metric_code = any(%(details)s)
    and week_id between %(first)s and %(last)s
    and coalesce(left(regency_code, 2) = any(%(provinces)s), true)
