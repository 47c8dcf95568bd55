-- A login may put operators and aggregates of its own schema first in its search path. Functions that decide
-- what a reader sees must not find them there.
create or replace function ops.reads_whole_province() returns boolean
language sql stable
begin atomic
    select bool_or(pg_catalog.pg_has_role(current_user, oid, 'usage'))
    from pg_catalog.pg_roles
    where rolname in ('analyst_province', 'auditor', 'publisher');
end;

-- As in 0082. A `set search_path` would cost time for each row.
create or replace function ops.refuse_explain() returns text
language plpgsql stable cost 10000
as $$
begin
    if pg_catalog.current_query() operator(pg_catalog.~*) '\mexplain\M' then
        raise insufficient_privilege using
            message = 'EXPLAIN is not for a regency''s role: it counts the rows of other regencies',
            hint = 'run the statement itself; leave the word "explain" out of it, in texts too';
    end if;
    return '';
end
$$;

do $$
declare
    routine regprocedure;
begin
    for routine in
        select p.oid::regprocedure
        from pg_proc as p inner join pg_language as l on l.oid = p.prolang
        where p.pronamespace::regnamespace::text in ('ops', 'published', 'editions')
            and l.lanname in ('sql', 'plpgsql') and p.prosqlbody is null and p.proconfig is null
            and p.oid <> 'ops.refuse_explain()'::regprocedure
    loop
        execute format('alter function %s set search_path = pg_catalog, pg_temp', routine);
    end loop;
end
$$;

-- Functions that read tables of the transformer have its rights, not the owner's: it could make one of these
-- tables a view that calls a function of its own.
do $$
begin
    -- Who receives a function must be able to create one there.
    grant create on schema ops, editions to transformer;
    alter function ops.unresolved_places() owner to transformer;
    alter function editions.not_counted_record(text, text, text, boolean, bigint, timestamptz)
        owner to transformer;
    revoke create on schema ops, editions from transformer;
end
$$;
