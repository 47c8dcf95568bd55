-- What people decided about single deliveries: a landed one that must not count is excluded, or restored. Append-only:
-- the last decision on a channel and source id stands, whatever versions the source gives later.
create table ops.exclusion_decision (
    decision_id bigint generated always as identity primary key,
    channel text not null,
    source_id text not null,
    source_key bigint not null             -- as in raw.record
        generated always as (hashtextextended(source_id, 0)) stored,
    record_id bigint not null,             -- the version that the person saw
    decision_code text not null check (decision_code in ('excluded', 'restored')),
    decided_by text not null check (decided_by <> ''),  -- the account of the operating system
    decided_at timestamptz not null default clock_timestamp(),
    reason text not null check (reason <> '')           -- never a personal value
);
create index exclusion_decision_delivery on ops.exclusion_decision (channel, source_id, decision_id desc);
grant select on ops.exclusion_decision to transformer;

alter table ops.build
    add column max_exclusion_id bigint not null default 0,  -- the last decision that is in the build
    add column since_exclusion_id bigint;                    -- those after this one are new to it; null: full
