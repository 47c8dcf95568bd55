-- A decision and a waiver use their code up in the transaction that records them, so that one that is refused
-- leaves the code for the next attempt.
alter table ops.used_code alter column seal drop not null;
create or replace function published.require_new_code(enrolment bigint, step bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    if enrolment is null then
        return;
    end if;
    if abs(step - floor(extract(epoch from clock_timestamp()) / 30)) > 22 then
        raise exception 'the code is too old' using errcode = 'restrict_violation';
    end if;
    insert into ops.used_code (enrolment_id, totp_step) values (enrolment, step) on conflict do nothing;
    if not found then
        raise exception 'the code was used already' using errcode = 'unique_violation';
    end if;
end $$;
