-- In which bytes a file was read when a row was first missed: the same bytes confirm nothing.
alter table ops.missing_record add column evidence_sha256 bytea;

-- Withdrawals that a person accepted: no check holds a channel back for them.
alter table raw.batch add column is_accepted boolean not null default false;
