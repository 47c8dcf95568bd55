-- Who decided at a terminal, proved by the one-time code of the person's phone, before the decision itself is
-- written. The audit log has both.
create table ops.terminal_decision (
    decision_id bigint generated always as identity primary key,
    decided_by text not null check (decided_by <> ''),
    command text not null check (command <> ''),
    decided_at timestamptz not null default clock_timestamp(),
    enrolment_id bigint not null references ops.approver,
    totp_step bigint not null,
    seal text not null,
    unique (enrolment_id, totp_step)
);
create trigger append_only before update or delete or truncate on ops.terminal_decision
    for each statement execute function published.refuse();
create trigger audit after insert on ops.terminal_decision for each row
    execute function ops.audit_decision(decided_by, command, enrolment_id, totp_step, seal);
grant select, insert on ops.terminal_decision to approver;

-- Ending and restoring a channel needs no owner: the transformer keeps the channels.
grant insert on ops.channel_decision to transformer;
