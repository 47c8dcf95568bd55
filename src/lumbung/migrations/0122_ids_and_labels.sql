-- Ids and labels that may name a person: the database has pseudonyms of them, the vault what was written.

-- Whether ids that may name somebody are replaced. Ids of a channel that landed before stay as they are: cases,
-- links and published editions refer to them.
alter table ops.pseudonym add column has_keyed_ids boolean not null default false;

-- The label as the source has it, encrypted with the vault key, where `field` is a pseudonym of it. Labels in
-- clear that stand are converted with the next raw checkpoint or build, as records are.
alter table ops.drift_notice add column sealed_label bytea;
grant select, insert, delete, update (sealed_label), maintain on ops.drift_notice to custodian;

-- Opening the labels of a channel is logged as opening a record is.
alter table ops.opening
    drop constraint opening_of_one,
    add column labels_of text, -- a channel
    add constraint opening_of_one
        check (num_nonnulls(quarantine_id, record_id, evidence_sha256, labels_of) = 1);
