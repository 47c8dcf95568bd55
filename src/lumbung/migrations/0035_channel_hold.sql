-- A channel whose new rows a check does not trust. While a hold is open, nothing that the channel landed after
-- `after_batch_id` is in any build: readers keep what the channel said before, every other channel goes on.
create table ops.channel_hold (
    hold_id bigint generated always as identity primary key,
    channel text not null,
    check_name text not null,
    after_batch_id bigint not null,
    judged_batch_id bigint not null,       -- the last batch that the check has judged
    reason text not null,                  -- Indonesian: an edition prints it; never a delivered value
    reason_en text not null,
    held_at timestamptz not null default clock_timestamp(),
    released_at timestamptz,
    released_by text,                      -- the account of a person; null: the raw checkpoint, because the check holds
    release_reason text,                   -- never a personal value
    constraint release_is_whole check (
        (released_by is null) = (release_reason is null)
        and (released_by is null or released_at is not null)
    )
);
create unique index channel_hold_open on ops.channel_hold (channel, check_name) where released_at is null;
create index channel_hold_channel on ops.channel_hold (channel, hold_id);
grant select on ops.channel_hold to transformer;

-- The holds that a build respected: the next one begins where they did.
alter table ops.build add column hold_ids bigint[] not null default '{}';

-- What the raw checkpoint judges of each channel: what it landed after the last batch that is built of it. What
-- was landed up to `judged_batch_id` when a person released the channel is not judged again; from then on the
-- channel's history, which says what is usual, begins with what that person accepted.
create view ops.channel_window as
with last_build as (
    select max_batch_id, hold_ids
    from ops.build
    where state = 'success'
    order by build_id desc
    limit 1
),

built as (
    select
        channel,
        min(after_batch_id) as batch_id
    from ops.channel_hold
    where hold_id in (select unnest(hold_ids) from last_build)
    group by channel
),

accepted as (
    select
        channel,
        max(judged_batch_id) as batch_id,
        max(after_batch_id) as before_batch_id
    from ops.channel_hold
    where released_by is not null
    group by channel
)

select
    channels.channel,
    greatest(
        coalesce(built.batch_id, (select max_batch_id from last_build), 0), accepted.batch_id
    ) as after_batch_id,
    coalesce(accepted.before_batch_id, 0) as history_after_batch_id
from reference.channel as channels
left join built on channels.channel = built.channel
left join accepted on channels.channel = accepted.channel;
grant select on ops.channel_window to transformer;
