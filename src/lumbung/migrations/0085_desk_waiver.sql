-- A waiver at the desk is proved by a one-time code, as a decision on an edition is. A code counts once,
-- whether for a decision or for a waiver.
alter table published.waiver
    add column enrolment_id bigint references ops.approver,
    add column totp_step bigint,
    add column seal text check (seal ~ '^[0-9a-f]{64}$'),
    add column recorded_by text not null default session_user,
    add unique (enrolment_id, totp_step);

-- A code is not older than ten minutes and the clocks' difference, and was not used before.
create function published.require_new_code(enrolment bigint, step bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    if enrolment is null then
        return;
    end if;
    if abs(step - floor(extract(epoch from clock_timestamp()) / 30)) > 22 then
        raise exception 'the code is too old' using errcode = 'restrict_violation';
    end if;
    perform pg_advisory_xact_lock(hashtext('lumbung.code'), enrolment::int);
    if exists (
        select from published.approval as a where a.enrolment_id = enrolment and a.totp_step = step
        union all
        select from published.waiver as w where w.enrolment_id = enrolment and w.totp_step = step
    ) then
        raise exception 'the code was used already' using errcode = 'unique_violation';
    end if;
end $$;
revoke all on function published.require_new_code from public;

create or replace function published.record_decision(
    edition text, verdict text, manner text, decider text, remark text, files jsonb,
    enrolment bigint, step bigint, proof text
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform published.require_new_code(enrolment, step);
    insert into published.approval (
        edition_id, decision, how, decided_by, comment, reviewed, enrolment_id, totp_step, seal
    ) values (edition, verdict, manner, decider, remark, files, enrolment, step, proof);
end $$;

create function published.record_waiver(
    edition text, waived_check text, waiver text, remark text, until date,
    enrolment bigint, step bigint, proof text
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform published.require_new_code(enrolment, step);
    insert into published.waiver (
        edition_id, check_name, waived_by, reason, until_date, enrolment_id, totp_step, seal
    ) values (edition, waived_check, waiver, remark, until, enrolment, step, proof);
end $$;
revoke all on function published.record_waiver from public;
grant execute on function published.record_waiver to approver;

-- Auditors trace a published number to the hash of its evidence. None of these columns is personal.
grant select (source_key, evidence_sha256, locator) on raw.record to auditor;
