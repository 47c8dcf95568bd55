-- What one delivery holds in the vault can be destroyed, also in backups (ADR 24). Each chunk that is landed
-- has a random data key, encrypted with the vault key; the key of a delivery is derived from it. Dumps leave
-- both tables out: a backup has their rows among its encrypted keys, which are replaced after an erasure.
create table vault.data_key (
    key_id bytea primary key,              -- random; each ciphertext begins with it
    wrapped bytea not null                 -- id of the vault key || AES-256-GCM
);

-- After an erasure: the keys of the other deliveries of a chunk whose data key was destroyed.
create table vault.item_key (
    key_id bytea not null,
    item bytea not null,                   -- a hash of channel and source id
    wrapped bytea not null,
    primary key (key_id, item)
);

-- A delivery that may not be erased yet, such as one of an open case. The newest row of a delivery counts.
create table ops.legal_hold (
    hold_id bigint generated always as identity primary key,
    channel text not null,
    source_id text not null,
    until_date date not null,              -- erasable from then on; in the past: the hold was lifted
    reason text not null check (reason <> ''),
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null default clock_timestamp()
);
create index legal_hold_delivery on ops.legal_hold (channel, source_id, hold_id desc);

-- What was erased: numbers only.
create table ops.erasure (
    erasure_id bigint generated always as identity primary key,
    erased_at timestamptz not null default clock_timestamp(),
    erased_by text not null check (erased_by <> ''),
    consented_by text,                     -- the second person; null in a demo
    reason text not null check (reason <> ''),
    record_count integer not null,
    redacted_count integer not null,
    quarantine_count integer not null,
    evidence_count integer not null
);

-- Evidence that was destroyed with somebody's data: its rows stay, and a restore drill does not miss it.
create table ops.erased_evidence (
    sha256 bytea primary key,
    erasure_id bigint not null references ops.erasure
);

-- Whoever opens one identity, and the second person who consented by a one-time code.
alter table ops.opening
    add column consented_by text,
    add column enrolment_id bigint,
    add column totp_step bigint,
    add column seal text,
    add unique (enrolment_id, totp_step);

grant insert on vault.data_key to loader;
grant select, insert, update, delete on vault.data_key, vault.item_key to custodian;
grant delete on vault.identity to custodian;
grant select on reference.channel to custodian;
grant update (subject_token) on raw.record to custodian;
grant update (resolved_at, dismissed_by, dismissed_reason) on quarantine.record to custodian;
grant select, insert on ops.legal_hold, ops.erasure, ops.erased_evidence to custodian;
