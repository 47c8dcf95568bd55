-- What PostgreSQL lets every login do is taken from readers: advisory locks, which builds and pulls
-- wait for, and large objects, which fill the disk. Only a superuser may change these functions: on
-- an office's own server with another account they stay open (docs/how-to/give-somebody-a-login.md).
do $$
declare
    routine regprocedure;
begin
    for routine in
        select oid::regprocedure from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and (
                proname ~ '^pg_(try_)?advisory_' or proname ~ '^lo_' or proname in ('loread', 'lowrite')
            )
    loop
        execute format('revoke execute on function %s from public', routine);
        if routine::text ~ 'advisory' then
            execute format(
                'grant execute on function %s to loader, transformer, publisher, %s', routine,
                (select nspowner::regrole from pg_namespace where nspname = 'ops')
            );
        end if;
    end loop;
exception
    when insufficient_privilege then null;
end
$$;
