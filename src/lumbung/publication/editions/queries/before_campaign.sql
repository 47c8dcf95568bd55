select
    'before_campaign' as figure_code,
    record_kind as category_code,
    regency_code,
    week_id,
    member_id
from reporting.rpt_before_campaign
where week_id <= %(week)s
