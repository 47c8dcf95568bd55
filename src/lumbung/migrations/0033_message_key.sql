-- What messages are known by whose source gives them no id (chat exports): an edited message is found
-- again by its minute and sender, as a new version of the one that was landed before. Append-only.
create table ops.message_key (
    key_id bigint generated always as identity,
    channel text not null,
    slot bytea not null,                   -- keyed hash of minute and sender
    text_id text not null,                 -- the id of this version as a message of its own
    source_id text not null,               -- raw.record.source_id of the message it is a version of
    is_edited boolean not null,            -- whether it carries the mark of an edit
    place integer not null,                -- its place among the messages of its slot
    as_of timestamptz not null,            -- the last message of the export that had it first
    primary key (channel, text_id)
);
create index message_key_slot on ops.message_key (channel, slot);
create index message_key_edited on ops.message_key (channel) where is_edited;
grant select, insert on ops.message_key to loader;
