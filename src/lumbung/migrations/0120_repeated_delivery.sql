-- Files of evidence that hold a delivery which was landed, or quarantined, from another file: each export of a
-- register repeats its rows. An erasure destroys them too.
create table ops.repeated_delivery (
    channel text not null,
    sha256 bytea not null,                 -- of the file
    delivery_keys bigint[] not null        -- hashtextextended(source id, or content hash in hexadecimal, 0)
);
create index repeated_delivery_file on ops.repeated_delivery (sha256);
grant select, insert on ops.repeated_delivery to loader;
grant select on ops.repeated_delivery to custodian;

-- The second person's code, which the audit log shows to be proved.
alter table ops.erasure
    add column enrolment_id bigint,
    add column totp_step bigint,
    add column seal text,
    add unique (enrolment_id, totp_step);
