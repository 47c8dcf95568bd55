-- A check of the gate that a person lets fail for one edition: who, why, until when. Printed in it.
create table published.waiver (
    edition_id text not null references published.edition,
    check_name text not null,
    waived_by text not null check (waived_by <> ''),
    reason text not null check (reason <> ''),
    granted_at timestamptz not null default clock_timestamp(),
    until_date date not null,              -- the last day it counts, WIB
    primary key (edition_id, check_name, granted_at),
    check (until_date >= (granted_at at time zone 'Asia/Jakarta')::date)
);
create trigger append_only before update or delete or truncate on published.waiver
    for each statement execute function published.refuse();
create trigger while_draft before insert on published.waiver
    for each row execute function published.belongs_to_state('draft');

-- A pass that needed waivers ends with the first of them.
alter table published.gate_pass add column until_date date;

create function published.needs_gate_pass() returns trigger language plpgsql as $$
begin
    if new.state = 'approved' and not exists (
        select from published.gate_pass
        where edition_id = new.edition_id
            and coalesce(until_date, 'infinity') >= (now() at time zone 'Asia/Jakarta')::date
    ) then
        raise exception 'edition % has no pass of the publication gate that still holds',
            new.edition_id using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger transition_with_pass before update on published.edition
    for each row execute function published.needs_gate_pass();
