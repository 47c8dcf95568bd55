select distinct week_id
from reporting.rpt_metric
where week_id <= %(week)s
order by week_id
