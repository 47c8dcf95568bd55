select
    member_id,
    record_id
from reporting.rpt_member_record
where week_id <= %(week)s
