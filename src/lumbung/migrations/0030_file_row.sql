-- What each file last gave for a source id, where several files tell of one: a row that its own file
-- repeats unchanged is no news, however new the file is. Names of files and contents are keyed hashes.
create table ops.file_row (
    channel text not null,
    source_key bigint not null,            -- hashtextextended(source_id, 0), as in raw.record
    file_key bigint not null,              -- of channel and file name
    series_key bigint,                     -- of the name's letters: `Register 40.xlsx`, `Register 41.xlsx`
    row_hash bigint not null,              -- of the row as the file gave it, without its place in the list
    record_id bigint,                      -- the version that says what the row says; null: it was no news
    given_id bigint not null,              -- batch_id * 2^20 + the place in it, when the row last changed
    primary key (source_key, file_key)
);
grant select, insert, update on ops.file_row to loader;
