-- depends_on: {{ ref('int_build__checked') }}
select
    channel,
    reason_code,
    week_id,
    reason,
    record_count
from {{ ref('int_not_counted__summed') }}
