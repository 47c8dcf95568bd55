"""What earlier editions said that is different now, and why.

The members that an edition counted, frozen with it, are held against the members of today. A member
that came or went has one reason, from the versions of its records and the edition's watermark:

- late: its delivery was landed after what that edition rests on;
- progressed: the case went on as the law has it (registered, decided) after that edition, and
  nothing else of it changed; of figures that count by status alone;
- edited: a later version of its delivery moved it;
- withdrawn: the source took its delivery back;
- re-coded: the same version is read or classified otherwise now (a field map, a vocabulary).

Linking two cases is no reason: a link never merges, every case stays counted (ADR 11).

Compared are, of every earlier edition, its week and its sum to date, and the weeks without an
edition of their own: as the edition after told them by regency (its week before), and as the newest
edition told them of the province (its trend). Deadlines and the profile are states of a day: they
are frozen with their members, and not compared.
"""

COLUMNS = (
    "of_edition_id, figure_code, category_code, regency_code, period, old_value, new_value,"
    " late_count, edited_count, withdrawn_count, recoded_count, is_told, progressed_count,"
    " told_value"
)

QUERY = """
    with earlier as (
        -- the newest published revision of each week: the ones before it restated each other; none
        -- that knew more than the one being frozen
        select distinct on (week_id) edition_id, week_id, batch_watermark, label -> 'held' as held
        from published.edition
        where state = 'published' and week_id <= %(week)s and batch_watermark <= %(watermark)s
        order by week_id, revision desc
    ),
    -- up to which batch an edition knew a channel that was held back then
    held as (
        select e.edition_id, h.channel, h.after_batch_id
        from earlier as e
        cross join lateral jsonb_to_recordset(e.held) as h (channel text, after_batch_id bigint)
    ),
    old_member as (
        select e.edition_id, m.figure_code, m.category_code, m.regency_code, m.week_id, m.member_id
        from earlier as e join published.figure_member as m using (edition_id)
        where m.figure_code <> all (%(states)s)
    ),
    new_member as (
        select e.edition_id, m.figure_code, m.category_code, m.regency_code, m.week_id, m.member_id
        from earlier as e join reporting.rpt_figure_member as m on m.week_id <= e.week_id
    ),
    moved as (
        select 1 as change, came.* from (
            select * from new_member except select * from old_member) as came
        union all
        select -1 as change, went.* from (
            select * from old_member except select * from new_member) as went
    ),
    reason_added as (
        select m.edition_id, m.member_id,
            case
                when bool_or(first.batch_id > coalesce(h.after_batch_id, e.batch_watermark))
                    then 'late'
                when bool_or(r.batch_id > coalesce(h.after_batch_id, e.batch_watermark))
                    then 'edited'
                else 'recoded'
            end as reason
        from (select distinct edition_id, member_id from moved where change = 1) as m
        join earlier as e using (edition_id)
        left join reporting.rpt_member_record as p using (member_id)
        left join raw.record as r using (record_id)
        left join held as h on h.edition_id = m.edition_id and h.channel = r.channel
        left join lateral (
            select v.batch_id from raw.record as v
            where v.source_key = r.source_key and v.source_id = r.source_id
                and v.channel = r.channel
            order by v.record_id limit 1
        ) as first on true
        group by 1, 2
    ),
    reason_removed as (
        select m.edition_id, m.member_id,
            case
                when bool_or(latest.is_tombstone) then 'withdrawn'
                when bool_or(latest.record_id <> r.record_id) then 'edited'
                else 'recoded'
            end as reason
        from (select distinct edition_id, member_id from moved where change = -1) as m
        left join published.member_record as o using (edition_id, member_id)
        left join raw.record as r using (record_id)
        left join reporting.rpt_channel_completeness as c using (channel)
        left join lateral (
            select v.record_id, v.is_tombstone from raw.record as v
            where v.source_key = r.source_key and v.source_id = r.source_id
                and v.channel = r.channel
                and v.batch_id <= coalesce(c.held_after_batch_id, %(watermark)s)
            order by v.record_id desc limit 1
        ) as latest on true
        group by 1, 2
    ),
    progressed as (
        select distinct e.edition_id, s.report_id as member_id
        from earlier as e
        join marts.fct_status_event as s on s.from_status_code is not null and not s.is_illegal
        join raw.record as r using (record_id)
        left join held as h on h.edition_id = e.edition_id and h.channel = r.channel
        where r.batch_id > coalesce(h.after_batch_id, e.batch_watermark)
            -- received: every case, whatever its status; it neither came, went, nor was moved
            and not exists (
                select from moved as m
                where m.edition_id = e.edition_id and m.member_id = s.report_id
                    and m.figure_code = 'report_received')
    ),
    reasoned as (
        select m.*,
            case
                when r.reason in ('edited', 'recoded') and p.member_id is not null
                    and m.figure_code ~ '^report_(?!received)'
                    then 'progressed'
                else r.reason
            end as reason
        from moved as m
        join (
            select 1 as change, * from reason_added union all select -1, * from reason_removed
        ) as r using (change, edition_id, member_id)
        left join progressed as p using (edition_id, member_id)
    ),
    explained as (
        select m.edition_id, m.figure_code, m.category_code, place.regency_code, span.period,
            coalesce(sum(m.change) filter (where m.reason = 'late'), 0)::bigint as late,
            coalesce(sum(m.change) filter (where m.reason = 'edited'), 0)::bigint as edited,
            coalesce(sum(m.change) filter (where m.reason = 'withdrawn'), 0)::bigint as withdrawn,
            coalesce(sum(m.change) filter (where m.reason = 'recoded'), 0)::bigint as recoded,
            coalesce(sum(m.change) filter (where m.reason = 'progressed'), 0)::bigint
                as progressed
        from reasoned as m
        join earlier as e using (edition_id)
        cross join lateral (values (m.regency_code), (%(province)s::text)) as place (regency_code)
        cross join lateral (
            values ('to_date', true), ('week', m.week_id = e.week_id), (m.week_id, true)
        ) as span (period, is_in)
        where span.is_in
        group by 1, 2, 3, 4, 5
    ),
    stated as (
        select e.edition_id, f.figure_code, f.category_code, f.regency_code, span.period,
            e.week_id, span.period as counted, span.value
        from earlier as e
        join published.figure as f using (edition_id)
        cross join lateral (
            values ('week', f.week_value), ('to_date', f.to_date_value)
        ) as span (period, value)
        union all
        select e.edition_id, f.figure_code, f.category_code, f.regency_code, before.week_id,
            before.week_id, 'week', f.previous_week_value
        from earlier as e
        join published.figure as f using (edition_id)
        cross join lateral (
            select max(t.week_id) as week_id from published.trend as t
            where t.edition_id = e.edition_id and t.week_id < e.week_id
        ) as before
        where f.regency_code <> %(province)s and before.week_id not in (select week_id from earlier)
            and f.previous_week_value is not null
        union all
        select e.edition_id, t.figure_code, t.category_code, %(province)s::text, t.week_id,
            t.week_id, 'week', t.value
        from (select * from earlier order by week_id desc limit 1) as e
        join published.trend as t using (edition_id)
        where t.week_id not in (select week_id from earlier)
    ),
    -- what the newest edition of an earlier week has said it is instead
    told as (
        select distinct on (t.of_edition_id, t.figure_code, t.category_code, t.regency_code,
            t.period) t.of_edition_id as edition_id, t.figure_code, t.category_code,
            t.regency_code, t.period, t.new_value as value
        from published.restatement as t
        join published.edition as teller using (edition_id)
        where teller.state = 'published' and teller.week_id < %(week)s
            and teller.batch_watermark <= %(watermark)s
        order by t.of_edition_id, t.figure_code, t.category_code, t.regency_code, t.period,
            teller.week_id desc, teller.revision desc
    )
    select s.edition_id, s.figure_code, s.category_code, s.regency_code, s.period,
        s.value, coalesce(n.value, 0), coalesce(x.late, 0), coalesce(x.edited, 0),
        coalesce(x.withdrawn, 0), coalesce(x.recoded, 0),
        coalesce(t.value = coalesce(n.value, 0), false), coalesce(x.progressed, 0), t.value
    from stated as s
    left join told as t using (edition_id, figure_code, category_code, regency_code, period)
    left join explained as x
        using (edition_id, figure_code, category_code, regency_code, period)
    left join reporting.rpt_figure as n on n.figure_code = s.figure_code
        and n.category_code = s.category_code and n.regency_code = s.regency_code
        and n.week_id = s.week_id and n.period = s.counted
    where coalesce(n.value, 0) <> s.value or coalesce(n.value, 0) <> coalesce(t.value, s.value)"""
"""Rows of `COLUMNS`. A figure that was told otherwise and is again as its edition has it is one."""
