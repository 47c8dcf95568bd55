-- What a file that was read in full no longer had: withdrawn by the second reading in a row without it.
create table ops.missing_record (
    record_id bigint primary key,          -- the current version
    channel text not null,
    listing text not null,                 -- the beginning of the locators of that file
    is_held boolean not null,              -- a row without a key may be it: a person decides
    batch_id bigint not null,              -- the last batch of the pull that missed it first
    missed_at timestamptz not null default clock_timestamp()
);
create index missing_record_listing on ops.missing_record (channel, listing);
grant select, insert, update, delete on ops.missing_record to loader;
grant select on ops.missing_record to transformer;
