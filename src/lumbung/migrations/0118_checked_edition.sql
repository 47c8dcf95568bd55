-- The edition that a run of the publication checkpoint judged: what it found must not be taken for what it
-- found in another one. Null for other suites and for runs from before this migration.
alter table ops.check_result add column edition_id text references published.edition;
