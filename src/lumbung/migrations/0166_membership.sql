-- As in 0164. A role that somebody made by hand, as before pg_restore into another server, becomes a member too:
-- without it, the readers of its regency saw no row.
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
            if not pg_has_role(wanted, 'analyst_regency', 'usage') then
                execute format('grant analyst_regency to %I with inherit true', wanted);
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
