-- What may name a person is stored under a pseudonym (src/lumbung/intake/landing/pseudonyms.py); what was
-- written lies in the vault.

-- Which rules the stored records of a channel follow. The next build or checkpoint applies the current ones
-- to records that follow others, such as those that were landed before there were pseudonyms (version 0).
create table ops.pseudonym (
    channel text primary key,
    version bigint not null
);
insert into ops.pseudonym (channel, version)
select channel, 0 from raw.record
union
select channel, 0 from quarantine.record;
grant select, insert, update on ops.pseudonym to loader;

-- The pseudonyms of the words that the seeds map_* have by now: a word that was landed before it was mapped.
create table reference.term_pseudonym (
    pseudonym text primary key,
    term text not null
);
grant select on reference.term_pseudonym to transformer;

-- A record's private part is opened as a quarantined delivery is: logged before it is shown, with a reason.
alter table ops.opening
    alter column quarantine_id drop not null,
    add column record_id bigint,
    add column reason text,
    add constraint opening_of_one check (num_nonnulls(quarantine_id, record_id) = 1);
