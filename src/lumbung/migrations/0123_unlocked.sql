-- Wrong codes before it do not count. A second person's code proves each.
create table ops.approver_unlock (
    name text not null check (name <> ''),
    unlocked_at timestamptz not null default clock_timestamp(),
    unlocked_by text not null check (unlocked_by <> ''),
    consented_by text,                     -- null in a demo
    reason text not null check (reason <> ''),
    enrolment_id bigint references ops.approver,
    totp_step bigint,
    seal text,
    unique (enrolment_id, totp_step)
);
create trigger append_only before update or delete or truncate on ops.approver_unlock
    for each statement execute function published.refuse();
create trigger audit after insert on ops.approver_unlock for each row
    execute function ops.audit_decision(
        unlocked_by, name, consented_by, reason, enrolment_id, totp_step, seal
    );
grant select, insert on ops.approver_unlock to approver;
-- An enrolment that somebody has written again is not the newest one of the log.
grant select on ops.audit_log to approver;
