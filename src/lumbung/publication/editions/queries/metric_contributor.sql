select
    metric_code,
    category_code,
    regency_code,
    week_id,
    contributor_id
from reporting.rpt_metric_contributor
where week_id <= %(week)s
