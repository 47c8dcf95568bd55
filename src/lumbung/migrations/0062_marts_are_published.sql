-- What readers see is built in schemas of its own, and then published into tables that stay
-- (lumbung.warehouse.publish, docs/explanation/adr/0015-marts-are-published-row-by-row.md).
create schema if not exists marts_next;
create schema if not exists reporting_next;
create schema if not exists reference_next;
grant usage, create on schema marts_next, reporting_next, reference_next to transformer;
alter default privileges in schema marts_next grant select on tables to transformer;
alter default privileges in schema reporting_next grant select on tables to transformer;
alter default privileges in schema reference_next grant select on tables to transformer;

-- Views read the marts through functions, because a build used to drop the tables below them. The next
-- build makes them as plain views, and the indexes under names of their own.
drop function if exists reporting.metric_contributors() cascade;
drop function if exists reporting.contributor_records() cascade;
drop function if exists reporting.edition_contributors() cascade;
do $$
declare
    made regclass;
begin
    for made in
        select indexrelid from pg_index
        inner join pg_class on oid = indexrelid
        where
            relnamespace in ('marts'::regnamespace, 'reporting'::regnamespace)
            and not exists (select from pg_constraint where conindid = indexrelid)
    loop
        execute format('drop index %s', made);
    end loop;
end
$$;
