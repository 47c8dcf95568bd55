-- A warehouse of several provinces: a channel says whose records it has, and a role reads one province.
alter table reference.channel
    add column province_code text;  -- the only one of the warehouse where the file names none
do $$
begin
    if to_regclass('reference.regency') is not null then
        update reference.channel
        set province_code = (select min(left(regency_code, 2)) from reference.regency);
    end if;
end
$$;

-- The key of a way of writing a place now begins with the province, and so does a decision on it.
update ops.mapping_decision
set term = left(known.code, 2) || term
from (
    select
        term as known_term,
        max(code) as code
    from ops.mapping_decision
    where vocabulary = 'place'
    group by term
) as known
where vocabulary = 'place' and term = known_term and length(term) = 32 and known.code is not null;

-- As in 0082. A province's role, analyst_19, reads its regencies, its unknown member and its sums.
create or replace function ops.own_regencies() returns text[]
language sql stable
begin atomic
    select case when ops.refuse_explain() = '' then (
        select coalesce(array_agg(replace(substr(code, 9), '_', '.')), '{}')
        from (
            select places.rolname::text as code
            from pg_catalog.pg_roles as own
            inner join pg_catalog.pg_roles as places
                on pg_catalog.starts_with(places.rolname::text, own.rolname::text)
            where
                own.rolname ~ '^analyst_\d\d(_\d\d)?$'
                and places.rolname ~ '^analyst_\d\d(_\d\d)?$'
                and pg_catalog.pg_has_role(current_user, own.oid, 'usage')
            union
            select own.rolname || '_00'
            from pg_catalog.pg_roles as own
            where own.rolname ~ '^analyst_\d\d$' and pg_catalog.pg_has_role(current_user, own.oid, 'usage')
        ) as readable
    ) end;
end;

-- As in 0067, with the provinces of the regencies where there are several.
create or replace function ops.make_regency_roles(regency_codes text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    wanted text;
begin
    for wanted in
        with regencies as (
            select code from unnest(regency_codes) as code where code ~ '^\d\d\.\d\d$'
        )

        select 'analyst_' || replace(code, '.', '_') from regencies
        union
        select 'analyst_' || left(code, 2) from regencies
        where (select count(distinct left(code, 2)) from regencies) > 1
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

-- As in 0150, for the role of a province too.
create or replace function editions.record_export(person text, content jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if session_user !~ '^(desk|steward|publisher|auditor|analyst_province|analyst_\d\d(_\d\d)?)$' then
        return;
    end if;
    if coalesce(length(person), 0) > 200 or length(content::text) > 2000 then
        raise exception 'an export is described in 2,000 characters';
    end if;
    perform ops.audit('ops.export', person, false, content);
end
$$;
