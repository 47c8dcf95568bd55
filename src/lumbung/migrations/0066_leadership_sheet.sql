-- Writes into the audit log who opened the leadership sheet of which edition. The sheet itself is stored
-- nowhere.
create function published.open_sheet(edition text, reader text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform ops.audit(
        'published.sheet', reader, false, jsonb_build_object('edition_id', edition)
    );
end $$;
revoke all on function published.open_sheet from public;
grant execute on function published.open_sheet to publisher;
