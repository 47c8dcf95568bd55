select
    'before_campaign' as metric_code,
    record_kind as category_code,
    left(regency_code, %(code_length)s) as regency_code,
    week_id,
    contributor_id
from reporting.rpt_before_campaign
where week_id <= %(week)s and coalesce(left(regency_code, 2) = any(%(provinces)s), true)
