-- A decision on a word or place replaces only the one that its page showed, and the audit log names what
-- was decided on.

-- With the id of the decision, which a form sends back.
create or replace view ops.mapping as
select
    vocabulary,
    term,
    case when vocabulary = 'non_registration_reason' then upper(code) else code end as code,
    decided_by,
    decided_at,
    decision_id
from (
    select distinct on (vocabulary, term) *
    from ops.mapping_decision
    order by vocabulary asc, term asc, decision_id desc
) as last_decision
where code is not null;
grant select on ops.mapping to steward;

-- The ids of the two cases are hashes.
drop trigger audit on ops.link_decision;
create trigger audit after insert on ops.link_decision for each row
    execute function ops.audit_decision(decided_by, decision_id, report_id_a, report_id_b, decision_code);

-- The log is kept for ever, so it names a word by its pseudonym, or by a hash where it has none.
create function ops.audit_mapping() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform ops.audit('ops.mapping_decision', new.decided_by, false, jsonb_build_object(
        'decision_id', new.decision_id,
        'vocabulary', new.vocabulary,
        'term', case
            when new.term ~ '^~[a-p]{12}$' or new.vocabulary = 'place' then new.term
            else '#' || left(encode(sha256(convert_to(new.term, 'UTF8')), 'hex'), 16)
        end,
        'code', new.code
    ));
    return null;
end $$;
revoke all on function ops.audit_mapping from public;
drop trigger audit on ops.mapping_decision;
create trigger audit after insert on ops.mapping_decision for each row execute function ops.audit_mapping();

-- Ways of writing a place that the last build could not resolve, for readers who may not read the schema
-- `intermediate`; nothing before the first build. Words that name no place are pseudonyms.
create function ops.unresolved_places() returns table (
    place_id text, written text, method text, candidates text [], record_count bigint, since date
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
            concat_ws(', ', p.village_raw, p.district_raw, p.regency_raw, p.village_code_raw,
                p.district_code_raw, p.regency_code_raw) as written,
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
revoke all on function ops.unresolved_places from public;
grant execute on function ops.unresolved_places to auditor;
