select
    contributor_id,
    record_id
from reporting.rpt_contributor_record
where week_id <= %(week)s
