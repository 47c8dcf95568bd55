-- The clock of this installation. It is the real one, except in a demo: its files are of 2024, and were
-- they landed today, every case of its register might have been open on any day since.
--
-- This clock says when something was landed, built, checked, held, frozen and decided on, and what is
-- compared with one of these times reads it too. Logs of who opened, signed or tried what have the real
-- time.
create table ops.clock (
    is_only boolean primary key default true check (is_only),
    behind interval not null -- the real time minus this clock; no row: they are the same
);

create function ops.now() returns timestamptz
language sql volatile security definer
set search_path = pg_catalog
begin atomic
    select pg_catalog.clock_timestamp() - coalesce((select behind from ops.clock), interval '0');
end;
revoke execute on function ops.now() from public;
grant execute on function ops.now()
    to loader, transformer, custodian, steward, publisher, approver, auditor;

alter table raw.batch alter landed_at set default ops.now();
alter table ops.build alter started_at set default ops.now();
alter table ops.check_result alter checked_at set default ops.now();
alter table ops.channel_hold alter held_at set default ops.now();
alter table published.edition alter frozen_at set default ops.now();
alter table published.approval alter decided_at set default ops.now();
