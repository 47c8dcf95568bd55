-- One row per channel: the last batch that is counted, and the deliveries held back since, with the reason.
-- Nothing of a removed channel is held, because no row of it counts.
with held as (
    select
        channel,
        min(after_batch_id) as after_batch_id,
        min(held_at) as held_since,
        string_agg(reason, '; ' order by hold_id) as reason,
        string_agg(reason_en, '; ' order by hold_id) as reason_en
    from {{ source('ops', 'channel_hold') }}
    where hold_id in ({{ hold_ids() }})
    group by channel
)

select
    channels.channel,
    channels.title as channel_name,
    held.channel is not null as is_held,
    held.after_batch_id as held_after_batch_id,
    {{ jakarta_date('held.held_since') }} as held_since_date,
    coalesce(batches.held_record_count, 0) as held_record_count,
    batches.last_counted_at,
    held.reason,
    held.reason_en
from {{ source('reference', 'channel') }} as channels
left join held on channels.channel = held.channel and channels.state <> 'removed'
left join lateral (
    select
        sum(landed_count + tombstone_count) filter (where batch_id > held.after_batch_id)::bigint
            as held_record_count,
        max(landed_at) filter (where landed_count > 0 and not coalesce(batch_id > held.after_batch_id, false))
            as last_counted_at
    from {{ source('raw', 'batch') }}
    where channel = channels.channel and batch_id <= {{ max_batch_id() }}
) as batches on true
