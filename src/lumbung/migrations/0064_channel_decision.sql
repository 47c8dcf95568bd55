-- What people decided about whole channels: retired ones keep their records, those of removed ones do not count.
-- Append-only: the last decision on a channel stands. The file is kept, so that it can be written again.
create table ops.channel_decision (
    decision_id bigint generated always as identity primary key,
    channel text not null,
    decision_code text not null check (decision_code in ('retired', 'removed', 'restored')),
    file_name text not null,               -- of the channel file, without its ending
    file_text text,                        -- null: it had none
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null default clock_timestamp(),
    reason text not null check (reason <> '')           -- never a personal value
);
create index channel_decision_channel on ops.channel_decision (channel, decision_id desc);

create view ops.channel_state as
select distinct on (channel)
    channel,
    case decision_code when 'restored' then 'active' else decision_code end as state,
    file_name,
    file_text,
    decided_by,
    decided_at,
    reason
from ops.channel_decision
order by channel asc, decision_id desc;
grant select on ops.channel_state to transformer, loader;

alter table reference.channel
    add column file_name text,             -- what people call the channel, whose records stay under `channel`
    add column state text not null default 'active' check (state in ('active', 'retired', 'removed'));
