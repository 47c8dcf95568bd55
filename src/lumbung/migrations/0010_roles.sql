-- Who may do what. The roles cannot log in: a person gets a login of her own, made a member of one
-- ("create role sari login password '...' in role analyst_19_01"). The product itself connects as
-- the owner of everything, who is bound by none of this.

do $$
declare
    wanted text;
begin
    foreach wanted in array array[
        'loader', 'transformer', 'analyst_regency', 'analyst_province', 'publisher', 'auditor'
    ] loop
        begin
            if not exists (select from pg_roles where rolname = wanted) then
                execute format('create role %I nologin', wanted);
            end if;
        exception
            when duplicate_object or unique_violation then null; -- another database made it just now
        end;
    end loop;
end
$$;

create schema if not exists staging;
create schema if not exists intermediate;
create schema if not exists marts;
create schema if not exists reporting;
create schema if not exists checks;

-- Readers: marts and reporting, table by table as a build makes them (ops.open_to_readers).
grant usage on schema marts, reporting to analyst_regency, analyst_province, publisher, auditor;

-- The one who brings records in: may add to raw, vault and quarantine, and read no identity.
grant usage on schema raw, vault, quarantine, ops, reference to loader;
grant select, insert on all tables in schema raw to loader;
grant insert on all tables in schema vault to loader;
grant select on vault.key to loader;
grant select, insert, update on all tables in schema quarantine to loader;
grant select, insert, update on ops.channel_cursor, ops.drift_notice, ops.field_type to loader;
grant select on all tables in schema reference to loader;
grant usage on all sequences in schema raw, quarantine to loader;

-- The one who writes models: reads raw and what is made of it; no identity, no quarantined content.
grant usage on schema raw, quarantine, ops, reference to transformer;
grant usage, create on schema staging, intermediate, marts, reporting, checks to transformer;
grant select on all tables in schema raw to transformer;
grant select (quarantine_id, channel, batch_id, reason_code, reason, received_at, resolved_at)
    on quarantine.record to transformer;
grant select on all tables in schema reference to transformer;
grant select on ops.build, ops.model_run, ops.check_result to transformer;
do $$
declare
    made text;
begin
    foreach made in array array['reference', 'staging', 'intermediate', 'marts', 'reporting', 'checks'] loop
        execute format('alter default privileges in schema %I grant select on tables to transformer', made);
    end loop;
end
$$;

-- The one who publishes: reads what readers read, writes editions.
grant usage on schema published, ops, reference to publisher;
grant select, insert, update on all tables in schema published to publisher;
alter default privileges in schema published grant select, insert, update on tables to publisher;
grant select, insert on ops.check_result to publisher;
grant select on ops.build to publisher;
grant select on reference.channel to publisher;

-- The one who looks whether all was done rightly: what came when, what was done, published, failed.
grant usage on schema raw, quarantine, ops, published, checks to auditor;
grant select on raw.batch to auditor;
grant select (record_id, channel, source_id, batch_id, received_at, is_tombstone)
    on raw.record to auditor;
grant select (quarantine_id, channel, batch_id, reason_code, reason, received_at, resolved_at)
    on quarantine.record to auditor;
grant select on all tables in schema ops, published to auditor;
alter default privileges in schema ops grant select on tables to auditor;
alter default privileges in schema published grant select on tables to auditor;
alter default privileges in schema checks grant select on tables to auditor;

-- The regencies that the current role may read: those of the roles analyst_19_01 ... it belongs to.
create function ops.own_regencies() returns text[]
language sql stable
as $$
    select coalesce(array_agg(replace(substr(rolname, 9), '_', '.')), '{}')
    from pg_catalog.pg_roles
    where rolname ~ '^analyst_\d\d_\d\d$' and pg_catalog.pg_has_role(current_user, oid, 'usage')
$$;

-- A table of marts or reporting as its readers may see it; a build calls this in the transaction that
-- shows the table. Dimensions are open. Of any other table the province's roles read every row, a
-- regency's role the rows of its regency; where no column says the regency, it reads none.
create function ops.open_to_readers(relation regclass) returns void
language plpgsql
as $$
begin
    execute format(
        'grant select on %s to analyst_regency, analyst_province, publisher, auditor', relation
    );
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

-- A role for each regency, analyst_19_01 for 19.01; a build calls this for dim_regency.
create function ops.make_regency_roles(regency_codes text[]) returns void
language plpgsql
as $$
declare
    wanted text;
begin
    for wanted in
        select 'analyst_' || replace(code, '.', '_') from unnest(regency_codes) as code order by 1
    loop
        begin
            if not exists (select from pg_roles where rolname = wanted) then
                execute format('create role %I nologin in role analyst_regency', wanted);
            end if;
        exception
            when duplicate_object or unique_violation then null;
        end;
    end loop;
end
$$;
