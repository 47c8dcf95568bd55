-- Several offices publish from one warehouse: each its own editions, chain of roots and portal.

-- Such as `76` of `76-2024-W47-r1`; empty: the office of the installation, `2024-W47-r1`.
create function published.office_of(edition_id text) returns text
language sql immutable parallel safe
return coalesce(substring(edition_id from '^([0-9A-Z]{2})-'), '');

alter table published.edition
    add column office_code text generated always as (published.office_of(edition_id)) stored,
    -- the country's edition names it; that of a province lists its regencies
    add column area_code text generated always as (
        coalesce(label ->> 'area_code', left(label #>> '{regency,0,code}', 2))
    ) stored;
alter table published.edition
    drop constraint edition_week_id_revision_key,
    drop constraint edition_check,
    add unique (office_code, week_id, revision),
    add check (
        edition_id = week_id || '-r' || revision
        or edition_id = published.office_of(edition_id) || '-' || week_id || '-r' || revision
    );

-- As in 0055, with the search path that a later migration gave it.
create or replace function published.edition_transition() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    -- generated columns have no value yet
    if to_jsonb(new) - array['state', 'office_code', 'area_code']
        <> to_jsonb(old) - array['state', 'office_code', 'area_code'] then
        raise exception 'published.edition is append-only: only its state moves on'
            using errcode = 'restrict_violation', hint = 'freeze a new revision of the week instead';
    end if;
    if (old.state, new.state) not in
        (('draft', 'approved'), ('draft', 'rejected'), ('approved', 'published')) then
        raise exception 'edition % cannot go from % to %', old.edition_id, old.state, new.state
            using errcode = 'restrict_violation';
    end if;
    if new.state in ('approved', 'rejected') and not exists (
        select from published.approval
        where edition_id = new.edition_id and decision = new.state
    ) then
        raise exception 'edition % has no decision that says %', new.edition_id, new.state
            using errcode = 'restrict_violation';
    end if;
    -- A pass that needed waivers ends with the first of them.
    if new.state = 'approved' and not exists (
        select from published.checkpoint_pass
        where edition_id = new.edition_id
            and coalesce(until_date, 'infinity') >= (now() at time zone 'Asia/Jakarta')::date
    ) then
        raise exception 'edition % has no valid pass of the publication checkpoint',
            new.edition_id using errcode = 'restrict_violation';
    end if;
    if new.state = 'published' and not exists (
        select from published.artefact where edition_id = new.edition_id
    ) then
        raise exception 'edition % has no artefacts', new.edition_id
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

drop index published.edition_root_first;
create unique index edition_root_first on published.edition_root (published.office_of(edition_id))
where previous_edition_id is null;

create or replace view editions.edition with (security_barrier) as
select
    edition_id,
    week_id,
    revision,
    not exists (
        select from published.edition as later
        where later.office_code = edition.office_code
            and later.week_id = edition.week_id
            and later.revision > edition.revision
            and later.state = 'published'
    ) as is_newest_revision,
    as_of,
    data_at,
    frozen_at,
    previous_edition_id,
    content_hash,
    office_code,
    area_code
from published.edition
where state = 'published';

comment on column editions.edition.edition_id is 'Office, week and revision, `76-2024-W47-r1`; of the installation''s own office `2024-W47-r1`.';
comment on column editions.edition.office_code is 'Kemendagri code of the province whose office published it, `ID` the country''s; empty: the installation''s own office.';
comment on column editions.edition.area_code is 'Kemendagri code of the province that it describes; `ID` the country.';
