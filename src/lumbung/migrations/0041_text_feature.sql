-- What the texts of a record tell, as keyed hashes (lumbung.intake.features): what cases are compared
-- by, so that no model reads a narrative. Landed with the record; append-only like raw.record. A
-- change of the seeds or of a channel's map adds rows of another version.
create table raw.text_feature (
    record_id bigint not null,
    version bigint not null,
    -- each a keyed hash (upper 52 bits), the rarity of what it stands for (8 bits: sixteenths of the
    -- negative natural logarithm of its share of all narratives) and its kind (4 bits)
    tokens bigint[] not null,
    villages text[] not null,          -- codes of the villages that are named
    primary key (record_id, version)
);
grant select, insert on raw.text_feature to loader;
grant select on raw.text_feature to transformer;

-- The version that counts for each channel, and up to which batch every record has it.
create table ops.text_feature (
    channel text primary key,
    version bigint not null,
    max_batch_id bigint not null
);
grant select on ops.text_feature to loader, transformer;
