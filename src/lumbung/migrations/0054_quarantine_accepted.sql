-- What a person said is a message although the order of its export speaks against it: the next pull that reads it
-- lands it and sets resolved_at. dismissed_by, set before that pull, takes it back.
alter table quarantine.record
    add column accepted_by text,           -- the account of the operating system
    add column accepted_reason text,       -- never a personal value
    add constraint acceptance_is_whole check ((accepted_by is null) = (accepted_reason is null));
grant select (accepted_by, accepted_reason) on quarantine.record to auditor;
