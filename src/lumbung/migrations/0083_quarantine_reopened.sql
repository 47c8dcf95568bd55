-- A dismissal can be taken back: the delivery is open again. The audit log keeps both decisions.
alter table quarantine.record
    add column reopened_by text,           -- the account that took the last dismissal back
    add column reopened_at timestamptz,
    add constraint reopening_is_whole check ((reopened_by is null) = (reopened_at is null));
create trigger audit_reopening after update of reopened_by on quarantine.record
    for each row when (new.reopened_by is not null)
    execute function ops.audit_decision(reopened_by, quarantine_id, channel, reopened_at);

-- The desk lists as auditor where a delivery lies; names of files and sheets are hashes there.
grant select (locator, reopened_by, reopened_at) on quarantine.record to auditor;

-- The audit log names what was opened, and why.
drop trigger audit on ops.opening;
create trigger audit after insert on ops.opening for each row
    execute function ops.audit_decision(opened_by, quarantine_id, record_id, reason);
