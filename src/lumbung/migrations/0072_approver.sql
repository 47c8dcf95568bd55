-- Who decides on an edition proves it with a one-time code of their phone. Only the role approver
-- records a decision; the role publisher, as which Airflow's tasks publish, no longer can.
do $$
begin
    if not exists (select from pg_roles where rolname = 'approver') then
        create role approver nologin;
    end if;
exception
    when duplicate_object or unique_violation then null; -- another database made it just now
end
$$;

-- The phones of those who decide; the newest of a person counts. The secret is encrypted with the vault
-- key.
create table ops.approver (
    enrolment_id bigint generated always as identity primary key,
    name text not null check (name <> ''),
    sealed_secret bytea not null,
    enrolled_at timestamptz not null default clock_timestamp(),
    enrolled_by text not null default session_user
);
create trigger append_only before update or delete or truncate on ops.approver
    for each statement execute function published.refuse();

-- Wrong codes, so that nobody can try them all.
create table ops.approver_failure (
    name text not null,
    failed_at timestamptz not null default clock_timestamp()
);
create index approver_failure_name on ops.approver_failure (name, failed_at);

alter table published.approval
    add column enrolment_id bigint references ops.approver,
    add column totp_step bigint,
    add column seal text check (seal ~ '^[0-9a-f]{64}$'),
    add column recorded_by text not null default session_user,
    add unique (enrolment_id, totp_step);  -- a code counts once

-- Records a decision. A code is not older than ten minutes and the clocks' difference.
create function published.record_decision(
    edition text, verdict text, manner text, decider text, remark text, files jsonb,
    enrolment bigint, step bigint, proof text
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if enrolment is not null
        and abs(step - floor(extract(epoch from clock_timestamp()) / 30)) > 22 then
        raise exception 'the code is too old' using errcode = 'restrict_violation';
    end if;
    insert into published.approval (
        edition_id, decision, how, decided_by, comment, reviewed, enrolment_id, totp_step, seal
    ) values (edition, verdict, manner, decider, remark, files, enrolment, step, proof);
end $$;
revoke all on function published.record_decision from public;
grant execute on function published.record_decision to approver;

revoke insert on published.approval from publisher;
grant usage on schema published, ops to approver;
grant select on all tables in schema published to approver;
alter default privileges in schema published grant select on tables to approver;
grant update on published.edition to approver;
grant select on ops.approver to approver, publisher;
grant select, insert on ops.approver_failure to approver;
