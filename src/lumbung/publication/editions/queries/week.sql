select distinct week_id
from reporting.rpt_figure
where week_id <= %(week)s
order by week_id
