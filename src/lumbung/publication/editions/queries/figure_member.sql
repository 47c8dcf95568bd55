select
    figure_code,
    category_code,
    regency_code,
    week_id,
    member_id
from reporting.rpt_figure_member
where week_id <= %(week)s
