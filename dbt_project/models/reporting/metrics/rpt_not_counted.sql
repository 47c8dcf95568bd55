select
    channel,
    reason_code,
    week_id,
    reason,
    record_count
from {{ ref('int_not_counted__summed') }}
