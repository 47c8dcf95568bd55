-- What came in. Raw is append-only: nothing here is updated or deleted by the product.

create schema if not exists raw;
create schema if not exists vault;
create schema if not exists quarantine;
create schema if not exists ops;
create schema if not exists reference;
create schema if not exists published;
create extension if not exists pg_trgm;

-- One row per chunk that was committed.
create table raw.batch (
    batch_id bigint generated always as identity primary key,
    channel text not null,
    run_key text not null,
    started_at timestamptz not null,
    landed_at timestamptz not null default clock_timestamp(),
    read_count bigint not null check (read_count >= 0),
    landed_count bigint not null check (landed_count >= 0),
    duplicate_count bigint not null check (duplicate_count >= 0),
    quarantined_count bigint not null check (quarantined_count >= 0),
    tombstone_count bigint not null default 0 check (tombstone_count >= 0),
    cursor_after jsonb,
    constraint batch_adds_up
        check (read_count = landed_count + duplicate_count + quarantined_count)
);
create index batch_channel on raw.batch (channel, batch_id);

-- One row per version of a delivery. The current version of (channel, source_id) is the one with
-- the highest record_id; a tombstone as the current version means the source withdrew it.
-- Landing gives record_id: batch_id * 2^20 + the place in the batch. batch_id has no foreign key:
-- checking it took a third of a landing's time, and one transaction writes both.
create table raw.record (
    record_id bigint generated always as identity primary key,
    channel text not null,
    source_id text not null,
    source_key bigint not null             -- short and of fixed width: finds a source id, does not prove it
        generated always as (hashtextextended(source_id, 0)) stored,
    content_hash bytea not null,           -- keyed BLAKE2b-128 of channel, source id and the whole
                                           -- delivery, personal fields included
    recurrence smallint not null default 0, -- a content that comes back after another (A, B, A) is a new version
    batch_id bigint not null,
    received_at timestamptz not null,      -- when the channel received it, as the source tells
    is_tombstone boolean not null default false,
    subject_token bytea,                   -- keyed hash of the reporter's identity: the same person, unnamed
    evidence_sha256 bytea,                 -- the file, page or message it came from, in the evidence store
    locator text,                          -- where in it: sheet and row, line, element
    payload jsonb not null,                -- declared, not personal fields, as the source spelled them
    constraint record_version unique (source_key, content_hash, recurrence)
);

-- The personal and undeclared fields of a version, encrypted with a key that is not in the database.
create table vault.identity (
    record_id bigint primary key,
    ciphertext bytea not null              -- AES-256-GCM: nonce (12) || ciphertext || tag (16)
);

-- The one vault key this warehouse is written with: a fingerprint, so that another key is refused
-- before it makes every known delivery look new.
create table vault.key (
    is_only boolean primary key default true check (is_only),
    fingerprint bytea not null
);

-- What could not be read, kept whole (encrypted: it may hold anything) with a reason.
create table quarantine.record (
    quarantine_id bigint generated always as identity primary key,
    channel text not null,
    batch_id bigint not null references raw.batch deferrable initially deferred,
    content_hash bytea not null,
    reason_code text not null,
    reason text not null,                  -- what, where, what to do; never a personal value
    received_at timestamptz not null,
    evidence_sha256 bytea,
    locator text,
    ciphertext bytea not null,
    resolved_at timestamptz,
    unique (channel, content_hash)         -- the same unreadable delivery, pulled again, is a duplicate
);

-- Who opened what is kept encrypted; written before it is shown.
create table ops.opening (
    opened_at timestamptz not null default clock_timestamp(),
    opened_by text not null,               -- the account of the operating system
    role_name text not null default current_user,
    quarantine_id bigint not null
);

-- Where each channel's next pull begins; moved only by the transaction that landed what lies before it.
create table ops.channel_cursor (
    channel text primary key,
    cursor jsonb not null,
    batch_id bigint not null,
    updated_at timestamptz not null default clock_timestamp()
);

-- Fields that appeared, vanished or changed their type; one row per channel and field, first seen.
create table ops.drift_notice (
    channel text not null,
    field text not null,
    notice text not null check (notice in ('appeared', 'vanished', 'changed')),
    first_batch_id bigint not null,
    noticed_at timestamptz not null default clock_timestamp(),
    primary key (channel, field, notice)
);

-- The types in which each declared field was met: what a notice of a change is measured by.
create table ops.field_type (
    channel text not null,
    field text not null,
    json_type text not null check (
        json_type in ('string', 'number', 'boolean', 'array', 'object')
    ),
    first_batch_id bigint not null,
    primary key (channel, field, json_type)
);

-- The channels as their YAML files describe them, synced before every build: dbt compiles its
-- staging model from these rows.
create table reference.channel (
    channel text primary key,
    kind text not null,
    title text not null,
    owner_name text not null,
    owner_email text not null,
    record_kind text,                      -- LP, TM, IA, LHP, PREV; null when a mapped field says it
    timezone text not null,
    expected_every interval,
    synced_at timestamptz not null default clock_timestamp()
);
create table reference.channel_field (
    channel text not null references reference.channel on delete cascade,
    field text not null,                   -- canonical name
    position smallint not null,            -- order of the aliases, 1 first
    source_label text not null,            -- key of raw.record.payload
    parser text not null,
    scheme text,                           -- the code system of a code: 'kemendagri', 'bps', 'bawaslu'
    separator text,                        -- of a list
    primary key (channel, field, position)
);
