-- Where each channel reads by a connection, so that a second channel of the same source is refused before it
-- lands everything again (lumbung.intake.run.claim). No account and no password: the address without them.
create table ops.channel_source (
    channel text primary key,
    place text not null,
    options jsonb not null check (options ? 'kind') -- the channel file's `source`
);
create index channel_source_place on ops.channel_source (place);
grant select, insert, update on ops.channel_source to loader;

-- The files of each channel's folder, as hashes: the review list compares those of two channels.
grant select (channel, cursor) on ops.channel_cursor to transformer;
