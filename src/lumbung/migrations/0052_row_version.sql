-- What the rows of files say, cell by cell: two files are compared in the columns that both have. A file's
-- row is at a version of the record: at the one that says the same, and never goes back to one before it.
create table ops.row_version (
    record_id bigint primary key,
    split bigint not null,                 -- of the channel's labels, which say what is public and what is private
    cells bytea not null                   -- 4 bytes of keyed hash of each column, 4 of its value (0: blank)
);
grant select, insert, update on ops.row_version to loader;

alter table ops.file_row drop column row_hash;
alter table ops.file_row rename column given_id to first_given_id;  -- from now on: when the file first gave the row
alter table ops.file_row add column numbers bigint[] not null default '{}';  -- of the file's name
alter table ops.file_row add column first_record_id bigint;        -- the version at which it began
alter table ops.file_row add column began_at timestamptz;          -- the file's time of change then
alter table ops.file_row add column last_given_id bigint;           -- when its bytes last gave the row
alter table ops.file_row add column cells bytea;                   -- what it says if no version does: it came late

update ops.file_row as f set
    record_id = coalesce(f.record_id, 0),
    first_record_id = coalesce(f.record_id, 0),
    last_given_id = first_given_id,
    began_at = coalesce(
        (select r.received_at from raw.record as r where r.record_id = f.record_id), 'epoch'
    );
alter table ops.file_row alter column record_id set not null;
alter table ops.file_row alter column first_record_id set not null;
alter table ops.file_row alter column began_at set not null;
alter table ops.file_row alter column last_given_id set not null;
