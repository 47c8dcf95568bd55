-- Every decision of the desk has its reason, and the audit log names what was exported.

alter table ops.mapping_decision add column reason text;   -- null: none was given
create or replace view ops.mapping as
select
    vocabulary,
    term,
    case when vocabulary = 'non_registration_reason' then upper(code) else code end as code,
    decided_by,
    decided_at,
    decision_id,
    reason
from (
    select distinct on (vocabulary, term) *
    from ops.mapping_decision
    order by vocabulary asc, term asc, decision_id desc
) as last_decision
where code is not null;

-- A build notes how many decisions there are: one that came and was undone may have been read meanwhile.
grant select (decision_id) on ops.mapping_decision to transformer;

-- As in 0113, with the reason.
create or replace function ops.audit_mapping() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform ops.audit('ops.mapping_decision', new.decided_by, false, jsonb_build_object(
        'decision_id', new.decision_id,
        'vocabulary', new.vocabulary,
        'term', case
            when new.term ~ '^~[a-p]{12}$' or new.vocabulary = 'place' then new.term
            else '#' || left(encode(sha256(convert_to(new.term, 'UTF8')), 'hex'), 16)
        end,
        'code', new.code
    ) || case when new.reason is null then '{}' else jsonb_build_object('reason', new.reason) end);
    return null;
end $$;

alter table quarantine.record add column reopened_reason text;  -- why the last dismissal was taken back
drop trigger audit_reopening on quarantine.record;
create trigger audit_reopening after update of reopened_by on quarantine.record
    for each row when (new.reopened_by is not null and new.reopened_reason is null)
    execute function ops.audit_decision(reopened_by, quarantine_id, channel, reopened_at);
create trigger audit_reopening_reason after update of reopened_by on quarantine.record
    for each row when (new.reopened_by is not null and new.reopened_reason is not null)
    execute function ops.audit_decision(reopened_by, quarantine_id, channel, reopened_at, reopened_reason);
grant select (reopened_reason) on quarantine.record to auditor;

-- Writes into the audit log what somebody takes out of the warehouse: a table, or a file of a draft. A
-- person's own login reads with any tool. It could also call this one by hand, in anybody's name, and keep
-- the lock of the audit log; so it writes nothing.
create function editions.record_export(person text, content jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if session_user !~ '^(desk|steward|publisher|auditor|analyst_province|analyst_\d\d_\d\d)$' then
        return;
    end if;
    if coalesce(length(person), 0) > 200 or length(content::text) > 2000 then
        raise exception 'an export is described in 2,000 characters';
    end if;
    perform ops.audit('ops.export', person, false, content);
end
$$;
revoke all on function editions.record_export from public;
grant usage on schema editions to steward, publisher;
grant execute on function editions.record_export
    to analyst_regency, analyst_province, auditor, steward, publisher;
