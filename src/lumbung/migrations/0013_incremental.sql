-- A build brings what changed since the last whole build that succeeded; every look at what was
-- there before goes through an index.

alter table ops.build
    add column since_build_id bigint references ops.build,  -- null: the build is a full one
    add column since_batch_id bigint,                        -- batches after this one are new to it
    add column since_decision_id bigint,                     -- so are link decisions after this one
    add column max_decision_id bigint not null default 0;
create unique index build_running on ops.build ((true)) where state = 'running';

create index batch_run on raw.batch (channel, run_key, batch_id);
create index quarantine_open on quarantine.record (channel, reason_code) where resolved_at is null;

-- As in 0010, but a table that is kept from build to build is opened once, and a view reads with the
-- rights of whoever asks: the policies of the tables below it hold.
create or replace function ops.open_to_readers(relation regclass) returns void
language plpgsql
as $$
begin
    if exists (select from pg_policy where polrelid = relation) then
        return;
    end if;
    execute format(
        'grant select on %s to analyst_regency, analyst_province, publisher, auditor', relation
    );
    if (select relkind = 'v' from pg_class where oid = relation) then
        execute format('alter view %s set (security_invoker = true)', relation);
        return;
    end if;
    if (select relname like 'dim\_%' from pg_class where oid = relation) then
        return;
    end if;
    execute format('alter table %s enable row level security', relation);
    execute format(
        'create policy whole_province on %s for select'
        ' to analyst_province, publisher, auditor, transformer using (true)', relation
    );
    if exists (
        select from pg_attribute
        where attrelid = relation and attname = 'regency_code' and not attisdropped
    ) then
        -- the subselect is run once a query, not once a row
        execute format(
            'create policy own_regency on %s for select to analyst_regency'
            ' using (regency_code = any ((select ops.own_regencies())::text[]))', relation
        );
    end if;
end
$$;
