select
    channel,
    channel_name,
    is_held,
    held_after_batch_id,
    held_since_date,
    held_record_count,
    last_counted_at,
    reason,
    reason_en
from {{ ref('int_channels__counted') }}
