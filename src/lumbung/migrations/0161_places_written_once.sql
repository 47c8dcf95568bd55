-- What a source has in one cell, for district and regency, is shown once.
create or replace function ops.unresolved_places() returns table (
    place_id text, written text, method text, candidates text[], record_count bigint, since date
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    if to_regclass('intermediate.int_places__resolved') is null then
        return;
    end if;
    return query
    with waiting as (
        select
            p.place_id::text as place_id,
            p.location_method::text as method,
            concat_ws(', ', p.village_raw, p.district_raw, nullif(p.regency_raw, p.district_raw),
                p.village_code_raw, p.district_code_raw, nullif(p.regency_code_raw, p.district_code_raw)) as written,
            count(*) as record_count,
            min(coalesce(r.receipt_date, r.landed_date)) as since
        from intermediate.int_places__resolved as p
        inner join intermediate.int_records__typed as r using (place_id)
        left join reference.channel as c on r.channel = c.channel
        where
            p.location_method in ('ambiguous', 'contradictory', 'unresolved', 'chosen')
            and r.exclusion_code is null
            and c.state is distinct from 'removed'
        group by 1, 2, 3
    )
    select
        w.place_id,
        w.written,
        w.method,
        coalesce((
            select array_agg(distinct coalesce(f.district_code, f.regency_code)::text)
            from intermediate.int_place_readings__found as f
            where f.place_id = w.place_id and f.regency_code is not null
        ), '{}'),
        w.record_count,
        w.since
    from waiting as w;
end $$;
