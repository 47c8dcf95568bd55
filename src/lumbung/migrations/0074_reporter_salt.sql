-- What turns the token of a reporter in raw into the key of the reporter in marts. Whoever has a key, or a
-- table of tokens from elsewhere, cannot join it to the other.
create table ops.reporter_salt (
    is_only boolean primary key default true check (is_only),
    salt bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
);
insert into ops.reporter_salt default values;
revoke all on ops.reporter_salt from auditor;
grant select on ops.reporter_salt to transformer;
