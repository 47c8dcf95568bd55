"""What earlier editions said that is different now, and why.

The members that an edition counted, frozen with it, are held against the members of today. A member
that came or went has one reason, from the versions of its records and the edition's watermark:

- late: its delivery was landed after what that edition rests on;
- edited: a later version of its delivery moved it;
- withdrawn: the source took its delivery back;
- re-coded: the same version is read or classified otherwise now (a field map, a vocabulary).

Linking two cases is no reason: a link never merges, every case stays counted (docs/linking.md).
"""

COLUMNS = (
    "of_edition_id, figure_code, category_code, regency_code, period, old_value, new_value,"
    " late_count, edited_count, withdrawn_count, recoded_count, is_told"
)

QUERY = """
    with earlier as (
        -- the newest published revision of each week: the ones before it restated each other; none
        -- that knew more than the one being frozen
        select distinct on (week_id) edition_id, week_id, batch_watermark
        from published.edition
        where state = 'published' and week_id <= %(week)s and batch_watermark <= %(watermark)s
        order by week_id, revision desc
    ),
    old_member as (
        select e.edition_id, m.figure_code, m.category_code, m.regency_code, m.week_id, m.member_id
        from earlier as e join published.figure_member as m using (edition_id)
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
                when bool_or(first.batch_id > e.batch_watermark) then 'late'
                when bool_or(r.batch_id > e.batch_watermark) then 'edited'
                else 'recoded'
            end as reason
        from (select distinct edition_id, member_id from moved where change = 1) as m
        join earlier as e using (edition_id)
        left join reporting.rpt_member_record as p using (member_id)
        left join raw.record as r using (record_id)
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
        left join lateral (
            select v.record_id, v.is_tombstone from raw.record as v
            where v.source_key = r.source_key and v.source_id = r.source_id
                and v.channel = r.channel and v.batch_id <= %(watermark)s
            order by v.record_id desc limit 1
        ) as latest on true
        group by 1, 2
    ),
    explained as (
        select m.edition_id, m.figure_code, m.category_code, place.regency_code, span.period,
            coalesce(sum(m.change) filter (where r.reason = 'late'), 0)::bigint as late,
            coalesce(sum(m.change) filter (where r.reason = 'edited'), 0)::bigint as edited,
            coalesce(sum(m.change) filter (where r.reason = 'withdrawn'), 0)::bigint as withdrawn,
            coalesce(sum(m.change) filter (where r.reason = 'recoded'), 0)::bigint as recoded
        from moved as m
        join earlier as e using (edition_id)
        join (
            select 1 as change, * from reason_added union all select -1, * from reason_removed
        ) as r using (change, edition_id, member_id)
        cross join lateral (values (m.regency_code), ('19')) as place (regency_code)
        cross join lateral (
            values ('to_date', true), ('week', m.week_id = e.week_id)
        ) as span (period, is_in)
        where span.is_in
        group by 1, 2, 3, 4, 5
    ),
    compared as (
        select e.edition_id, f.figure_code, f.category_code, f.regency_code, span.period,
            span.old_value, coalesce(n.value, 0) as new_value
        from earlier as e
        join published.figure as f using (edition_id)
        cross join lateral (
            values ('week', f.week_value), ('to_date', f.to_date_value)
        ) as span (period, old_value)
        left join reporting.rpt_figure as n on n.figure_code = f.figure_code
            and n.category_code = f.category_code and n.regency_code = f.regency_code
            and n.week_id = e.week_id and n.period = span.period
        where span.old_value <> coalesce(n.value, 0)
    )
    select c.edition_id, c.figure_code, c.category_code, c.regency_code, c.period,
        c.old_value, c.new_value, coalesce(x.late, 0), coalesce(x.edited, 0),
        coalesce(x.withdrawn, 0), coalesce(x.recoded, 0),
        exists (
            select from published.restatement as told
            join published.edition as teller using (edition_id)
            where teller.state = 'published' and teller.week_id < %(week)s
                and told.of_edition_id = c.edition_id and told.figure_code = c.figure_code
                and told.category_code = c.category_code and told.regency_code = c.regency_code
                and told.period = c.period and told.new_value = c.new_value
        )
    from compared as c
    left join explained as x
        using (edition_id, figure_code, category_code, regency_code, period)"""
"""Rows of `COLUMNS`."""
