-- Suspected violations to date by district and group of themes, as published: a count that would
-- show a person is null here already, so that no reader of this schema can see it.
create table published.district_figure (
    edition_id text not null references published.edition,
    regency_code text not null,
    district_code text not null,           -- '' = the district is not known
    district_name text not null,
    group_code text not null,
    to_date_value bigint,                  -- null: suppressed
    primary key (edition_id, regency_code, district_code, group_code)
);
create trigger append_only before update or delete or truncate on published.district_figure
    for each statement execute function published.refuse();
