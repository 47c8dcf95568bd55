-- A regency's analyst could count the rows of another regency without reading one
-- (docs/explanation/adr/0018-explain-counts-no-other-regency.md):
-- 1. EXPLAIN estimates rows from statistics of the whole table, and debug_print_plan prints the same;
-- 2. EXPLAIN ANALYZE prints how many rows a policy removed;
-- 3. the counters behind pg_stat_user_tables say how many rows an index gave, also to the policy.

-- Fails in a statement that explains. No analyst may write a function, so the word EXPLAIN always
-- stands in the statement as the client sent it. The planner calls this function when it estimates the
-- condition below, before it looks for a row: the error does not depend on what is there. Its cost lets
-- the executor call it for the rows of the own regency alone.
create function ops.refuse_explain() returns text
language plpgsql stable cost 10000
as $$
begin
    if current_query() ~* '\mexplain\M' then
        raise insufficient_privilege using
            message = 'EXPLAIN is not for a regency''s role: it counts the rows of other regencies',
            hint = 'run the statement itself; leave the word "explain" out of it, in texts too';
    end if;
    return '';
end
$$;

-- As in 0010. A plan that was prepared before fails here when it is explained.
create or replace function ops.own_regencies() returns text[]
language sql stable
begin atomic
    select case when ops.refuse_explain() = '' then (
        select coalesce(array_agg(replace(substr(rolname, 9), '_', '.')), '{}')
        from pg_catalog.pg_roles
        where rolname ~ '^analyst_\d\d_\d\d$' and pg_catalog.pg_has_role(current_user, oid, 'usage')
    ) end;
end;

-- The columns that say where a row belongs have no statistics. Plans that need them assume 200 places.
create function ops.hide_places(relation regclass) returns void
language plpgsql
as $$
declare
    place name;
begin
    for place in
        select attname from pg_attribute
        where attrelid = relation and not attisdropped
            and attname in ('regency_code', 'district_code', 'village_code', 'register_area_code')
    loop
        execute format('alter table %s alter column %I set statistics 0', relation, place);
        perform pg_clear_attribute_stats(
            (select relnamespace::regnamespace::text from pg_class where oid = relation),
            (select relname::text from pg_class where oid = relation), place::text, false
        );
    end loop;
end
$$;

-- As in 0013, with both.
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
            ' using (regency_code <> ops.refuse_explain()'
            ' and regency_code = any ((select ops.own_regencies())::text[]))', relation
        );
        perform ops.hide_places(relation);
    end if;
end
$$;

do $$
declare
    relation regclass;
begin
    for relation in select polrelid from pg_policy where polname = 'own_regency' loop
        execute format(
            'alter policy own_regency on %s using (regency_code <> ops.refuse_explain()'
            ' and regency_code = any ((select ops.own_regencies())::text[]))', relation
        );
        perform ops.hide_places(relation);
    end loop;
end
$$;

-- Only a superuser may change what follows (as in 0080).
do $$
declare
    owner regrole := (select nspowner from pg_namespace where nspname = 'ops');
    routine regprocedure;
begin
    execute format('revoke usage on language plpgsql, sql from public');
    execute format('grant usage on language plpgsql, sql to transformer, %s', owner);
    for routine in
        select oid::regprocedure from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and (
                proname ~ '^query_to_xml'
                or proname ~ '^pg_stat_get_(xact_)?(numscans|tuples_|blocks_|live_tuples|dead_tuples)'
                or proname ~ '^pg_stat_get_(mod_since_analyze|ins_since_vacuum)'
            )
    loop
        execute format('revoke execute on function %s from public', routine);
        execute format(
            'grant execute on function %s to'
            ' loader, transformer, publisher, auditor, analyst_province, %s', routine, owner
        );
    end loop;
exception
    when insufficient_privilege then null;
end
$$;
