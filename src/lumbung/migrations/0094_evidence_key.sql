-- Evidence is encrypted at rest, each file with a key of its own (ADR 28). Destroying the rows of a file makes
-- every copy of it unreadable. Dumps leave the table out, as those of migration 0068.
create table vault.evidence_key (
    key_id bytea primary key,              -- random; the encrypted file begins with it
    sha256 bytea not null,                 -- of the file's content
    wrapped bytea not null                 -- id of the vault key || AES-256-GCM
);
create index evidence_key_file on vault.evidence_key (sha256);

grant select, insert on vault.evidence_key to loader;
-- Where machines share no disk, the desk keeps what it takes as evidence.
grant usage on schema vault to steward;
grant select, insert on vault.evidence_key to steward;
grant select, insert, update, delete, maintain on vault.evidence_key to custodian;
-- Without it PostgreSQL skips the vacuum after an erasure, and the deleted rows stay on the disk.
grant maintain on vault.identity, vault.data_key, vault.item_key to custodian;

-- Opening a file is logged as opening a record is.
alter table ops.opening
    drop constraint opening_of_one,
    add column evidence_sha256 bytea,
    add constraint opening_of_one check (num_nonnulls(quarantine_id, record_id, evidence_sha256) = 1);
