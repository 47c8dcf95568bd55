-- The product's own processes log in by roles that have what they need, and none knows the owner's password:
-- pulls are `loader`, dbt and the raw checkpoint `transformer`, what opens the vault `custodian`, decisions on
-- records `steward`, the desk `desk`, backups `backup`. Airflow's own database belongs to `airflow_metadata`.
-- What is of the server and not of this database is in rights.sql, which every migration runs.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['custodian', 'steward', 'desk', 'backup', 'airflow_metadata'] loop
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

-- Builds. rights.sql gives the tables of dbt's schemas to the transformer.
grant create on schema reference to transformer;
grant insert, update on ops.build, ops.model_run, ops.channel_hold to transformer;
grant insert on ops.check_result to transformer;
grant select on ops.migration, ops.drift_notice to transformer;
do $$
begin
    -- An owner that is no superuser gives away only what it could take itself.
    if not pg_has_role('transformer', 'set') then
        grant transformer to current_user with inherit true, set true;
    end if;
end
$$;
alter default privileges for role transformer in schema checks grant select on tables to auditor;

-- Whether a build has read what a pull landed.
grant select on ops.build, ops.check_result to loader;

-- What opens the vault: pseudonyms and features by the rules of today.
grant usage on schema raw, vault, quarantine, ops, reference to custodian;
grant select, update (payload, locator), maintain on raw.record to custodian;
grant select on raw.batch to custodian;
grant select, insert on raw.text_feature to custodian;
grant select, insert, update on vault.identity to custodian;
grant select, insert on vault.key to custodian;
grant select, update (locator, ciphertext), maintain on quarantine.record to custodian;
grant select, update, maintain on ops.missing_record to custodian;
grant select, update on ops.pseudonym to custodian;
grant select, insert, update on ops.text_feature to custodian;
grant select, insert, delete on reference.term_pseudonym to custodian;
grant insert on ops.opening to custodian;

-- Decisions of the desk on pairs of cases and single deliveries, and files that it takes into an inbox. What a
-- word means is a table of a later number: rights.sql.
grant usage on schema raw, ops to steward;
grant select (record_id, channel, source_id) on raw.record to steward;
grant insert on ops.link_decision, ops.exclusion_decision to steward;
grant select on ops.exclusion_decision to steward;
grant select on ops.channel_cursor to steward;
create function ops.record_upload(person text, content jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform ops.audit('ops.upload', person, false, content);
end
$$;
revoke all on function ops.record_upload from public;
grant execute on function ops.record_upload to steward;

-- As in 0010, with the owner's rights, because the transformer may create no role. The desk reads in the role
-- of a steward's regency and inherits nothing from it.
create or replace function ops.make_regency_roles(regency_codes text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    wanted text;
begin
    for wanted in
        select 'analyst_' || replace(code, '.', '_')
        from unnest(regency_codes) as code
        where code ~ '^\d\d\.\d\d$'
        order by 1
    loop
        begin
            if not exists (select from pg_roles where rolname = wanted) then
                execute format('create role %I nologin in role analyst_regency', wanted);
            end if;
            if not pg_has_role('desk', wanted, 'set') then
                execute format('grant %I to desk with inherit false, set true', wanted);
            end if;
        exception
            when duplicate_object or unique_violation then null;
        end;
    end loop;
end
$$;
revoke all on function ops.make_regency_roles from public;
grant execute on function ops.make_regency_roles to transformer;
