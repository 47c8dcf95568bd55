-- What a person said will never be a record: it is no longer open, with who and why; resolved_at says when.
alter table quarantine.record
    add column dismissed_by text,          -- the account of the operating system
    add column dismissed_reason text,      -- never a personal value
    add constraint dismissal_is_whole check (
        (dismissed_by is null) = (dismissed_reason is null)
        and (dismissed_by is null or resolved_at is not null)
    );
grant select (dismissed_by, dismissed_reason) on quarantine.record to auditor;
