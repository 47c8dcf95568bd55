-- Metabase lists tables with the estimate of their rows (pg_stat_user_tables.n_live_tup), and without a
-- right to it finds none. Like pg_class.reltuples, which everybody reads, it counts the whole table and
-- no regency (ADR 18). Only a superuser may grant it (as in 0082).
do $$
begin
    grant execute on function pg_stat_get_live_tuples(oid) to analyst_regency;
exception
    when insufficient_privilege then null;
end
$$;
