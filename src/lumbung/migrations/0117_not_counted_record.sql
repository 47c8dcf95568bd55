-- What no metric counts lies in tables of dbt that readers may not read. An auditor traces its numbers by this
-- function, which returns ids alone. It is bound when it is called, for a build replaces the tables.
create function editions.not_counted_record(
    channel_name text, exclusion text, week text, is_to_date boolean, watermark bigint, known_at timestamptz
) returns table (kind text, counted_week text, id bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select 'record', coalesce(s.week_id, ''), s.record_id
    from intermediate.int_records__excluded as s join raw.record as r on r.record_id = s.record_id
    where s.channel = channel_name and s.reason_code = exclusion and r.batch_id <= watermark
        and case when is_to_date then coalesce(s.week_id, '') <= week else s.week_id = week end
    union all
    select 'quarantine', open.week_id, open.quarantine_id
    from (
        select q.quarantine_id, case when coalesce(c.has_receipt_time, true) then
            to_char(q.received_at at time zone 'Asia/Jakarta', 'IYYY"-W"IW') else '' end as week_id
        from quarantine.record as q left join reference.channel as c on c.channel = q.channel
        where q.channel = channel_name and q.reason_code = exclusion
            and q.batch_id <= watermark and coalesce(q.resolved_at > known_at, true)
    ) as open
    where case when is_to_date then open.week_id <= week else open.week_id = week end
    order by 1, 3;
end $$;
revoke all on function editions.not_counted_record from public;
grant execute on function editions.not_counted_record to auditor;
grant select (evidence_sha256) on quarantine.record to auditor;
