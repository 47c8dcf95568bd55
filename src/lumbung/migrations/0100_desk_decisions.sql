-- What a person decides about a channel without a command. Each decision is in the audit log.

-- A steward's session releases a channel that the raw checkpoint holds back.
grant select (channel, released_at), update (released_at, released_by, release_reason)
    on ops.channel_hold to steward;

-- It leaves the decision on a pair of cases that another steward took just before.
grant select on ops.link_decision to steward;

-- Whether a doubtful message is one is checked in its content, which the custodian alone opens.
grant update (accepted_by, accepted_reason) on quarantine.record to custodian;

-- What Airflow was asked to do with a channel: pull it, pause it, accept that its source lost many records.
create function ops.record_channel_request(person text, content jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform ops.audit('ops.channel_request', person, false, content);
end
$$;
revoke all on function ops.record_channel_request from public;
grant execute on function ops.record_channel_request to steward;

-- Files that the desk took where machines share no disk: the bytes are in the evidence of all machines, and
-- the pull writes them into the inbox of the machine that it runs on. The last line of a name counts.
create table ops.inbox_file (
    inbox_file_id bigint generated always as identity primary key,
    channel text not null,
    name text not null check (name <> '' and name !~ '/'),  -- may name a person
    sha256 bytea not null check (length(sha256) = 32),
    uploaded_by text not null,
    uploaded_at timestamptz not null default clock_timestamp()
);
create index inbox_file_name on ops.inbox_file (channel, name, inbox_file_id desc);
revoke all on ops.inbox_file from auditor;
grant select, insert on ops.inbox_file to steward;
grant select on ops.inbox_file to loader;
