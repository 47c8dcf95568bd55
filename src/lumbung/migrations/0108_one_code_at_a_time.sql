-- One attempt with a person's code at a time, so that each counts the wrong ones before it. The role
-- approver may not call the functions of advisory locks itself.
create function ops.lock_codes(person text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtext('lumbung.code'), hashtext(person));
end $$;
revoke all on function ops.lock_codes from public;
grant execute on function ops.lock_codes to approver;
