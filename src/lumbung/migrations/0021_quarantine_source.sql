-- The source id that an unreadable delivery claims, where it has one: a retry that meets it readable
-- resolves it.
alter table quarantine.record add column source_id text;
