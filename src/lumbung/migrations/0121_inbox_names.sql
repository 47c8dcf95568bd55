-- The name of an uploaded file may be that of a person ("Chat WhatsApp dengan ..."). The database has a keyed
-- hash of it, and the name encrypted with the vault key. 'lumbung migrate' converts the rows that stand.
alter table ops.inbox_file
    alter column name drop not null,
    add constraint name_is_sealed check (name is null) not valid,
    add column name_hash bytea,
    add column sealed_name bytea;
drop index ops.inbox_file_name;
create index inbox_file_name on ops.inbox_file (channel, name_hash, inbox_file_id desc);
grant select, update (name, name_hash, sealed_name), delete, maintain on ops.inbox_file to custodian;
