select
    metric_code,
    category_code,
    week_id,
    value
from reporting.rpt_metric
where week_id <= %(week)s and period = 'week' and regency_code = %(area)s
