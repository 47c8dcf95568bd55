select
    'before_campaign' as metric_code,
    record_kind as category_code,
    regency_code,
    week_id,
    contributor_id
from reporting.rpt_before_campaign
where week_id <= %(week)s
