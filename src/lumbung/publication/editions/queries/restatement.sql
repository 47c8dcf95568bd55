-- Metrics of earlier editions that have changed since, and why.
--
-- The contributors that were frozen with an edition are compared with those of today. Each contributor
-- that was added or removed has one reason, derived from the versions of its records and the
-- edition's watermark:
--
-- - late: its delivery was landed after that edition's watermark;
-- - progressed: the case was registered or decided after that edition and is otherwise unchanged;
--   only of metrics that count by status;
-- - edited: a later version of its delivery changed what it counts in;
-- - withdrawn: its delivery was withdrawn at the source;
-- - excluded: a person excluded its delivery, or restored it, after that edition;
-- - recoded: the same version is read or classified differently now (field map, vocabulary).
--
-- Linking two cases is no reason: a link never merges, every case stays counted (ADR 11).
--
-- Compared are the week and the sum to date of every earlier edition, and the weeks without an
-- edition of their own: by regency as the next edition published them (as its previous week), and for
-- the province as the newest edition published them (in its trend). Deadlines and the profile are
-- states of a day: they are frozen with their contributors, and not compared.
--
-- A metric whose restatement was published and which has its first value again is a row too.
with earlier as (
    -- the newest published revision of each week (older revisions were restated by newer ones), if
    -- its watermark is not above that of the edition being frozen
    select distinct on (week_id)
        edition_id,
        week_id,
        batch_watermark,
        data_at,
        label -> 'held' as held
    from published.edition
    where
        office_code = %(office)s
        and state = 'published'
        and week_id <= %(week)s
        and batch_watermark <= %(watermark)s
    order by week_id asc, revision desc
),

-- the last batch of a channel in an edition that held the channel back
held as (
    select
        e.edition_id,
        h.channel,
        h.after_batch_id
    from earlier as e
    cross join lateral jsonb_to_recordset(e.held) as h (channel text, after_batch_id bigint)
),

-- the last decision of a person on each delivery
decided as (
    select distinct on (channel, source_id)
        channel,
        source_id,
        decision_code,
        decided_at
    from ops.exclusion_decision
    order by channel asc, source_id asc, decision_id desc
),

old_contributor as (
    select
        e.edition_id,
        m.metric_code,
        m.category_code,
        m.regency_code,
        m.week_id,
        m.contributor_id
    from earlier as e
    inner join published.metric_contributor as m on e.edition_id = m.edition_id
    where m.metric_code <> all(%(not_compared)s)
),

new_contributor as (
    select
        e.edition_id,
        m.metric_code,
        m.category_code,
        left(m.regency_code, %(code_length)s) as regency_code,
        m.week_id,
        m.contributor_id
    from earlier as e
    inner join reporting.rpt_metric_contributor as m on e.week_id >= m.week_id
    where coalesce(left(m.regency_code, 2) = any(%(provinces)s), true)
),

moved as (
    select
        1 as change,
        came.*
    from (
        select * from new_contributor
        except
        select * from old_contributor
    ) as came
    union all
    select
        -1 as change,
        went.*
    from (
        select * from old_contributor
        except
        select * from new_contributor
    ) as went
),

reason_added as (
    select
        m.edition_id,
        m.contributor_id,
        case
            when bool_or(first.batch_id > coalesce(h.after_batch_id, e.batch_watermark))
                then 'late'
            when bool_or(d.decision_code = 'restored' and d.decided_at > e.data_at) then 'excluded'
            when bool_or(r.batch_id > coalesce(h.after_batch_id, e.batch_watermark))
                then 'edited'
            else 'recoded'
        end as reason
    from (
        select distinct
            edition_id,
            contributor_id
        from moved
        where change = 1
    ) as m
    inner join earlier as e on m.edition_id = e.edition_id
    left join reporting.rpt_contributor_record as p on m.contributor_id = p.contributor_id
    left join raw.record as r on p.record_id = r.record_id
    left join held as h on m.edition_id = h.edition_id and r.channel = h.channel
    left join decided as d on r.channel = d.channel and r.source_id = d.source_id
    left join lateral (
        select v.batch_id
        from raw.record as v
        where v.source_key = r.source_key and v.source_id = r.source_id and v.channel = r.channel
        order by v.record_id
        limit 1
    ) as first on true
    group by m.edition_id, m.contributor_id
),

reason_removed as (
    select
        m.edition_id,
        m.contributor_id,
        case
            when bool_or(latest.is_tombstone) then 'withdrawn'
            when bool_or(d.decision_code = 'excluded') then 'excluded'
            when bool_or(latest.record_id <> r.record_id) then 'edited'
            else 'recoded'
        end as reason
    from (
        select distinct
            edition_id,
            contributor_id
        from moved
        where change = -1
    ) as m
    left join published.contributor_record as o
        on m.edition_id = o.edition_id and m.contributor_id = o.contributor_id
    left join raw.record as r on o.record_id = r.record_id
    left join reporting.rpt_channel_completeness as c on r.channel = c.channel
    left join decided as d on r.channel = d.channel and r.source_id = d.source_id
    left join lateral (
        select
            v.record_id,
            v.is_tombstone
        from raw.record as v
        where
            v.source_key = r.source_key
            and v.source_id = r.source_id
            and v.channel = r.channel
            and v.batch_id <= coalesce(c.held_after_batch_id, %(watermark)s)
        order by v.record_id desc
        limit 1
    ) as latest on true
    group by m.edition_id, m.contributor_id
),

progressed as (
    select distinct
        e.edition_id,
        s.report_id as contributor_id
    from earlier as e
    inner join marts.fct_status_event as s on s.from_status_code is not null and not s.is_illegal
    inner join raw.record as r on s.record_id = r.record_id
    left join held as h on e.edition_id = h.edition_id and r.channel = h.channel
    where
        r.batch_id > coalesce(h.after_batch_id, e.batch_watermark)
        -- received counts every case whatever its status; the case was not added, removed or moved
        and not exists (
            select
            from moved as m
            where
                m.edition_id = e.edition_id
                and m.contributor_id = s.report_id
                and m.metric_code = 'report_received'
        )
),

reasons as (
    select
        1 as change,
        edition_id,
        contributor_id,
        reason
    from reason_added
    union all
    select
        -1 as change,
        edition_id,
        contributor_id,
        reason
    from reason_removed
),

reasoned as (
    select
        m.*,
        case
            when
                r.reason in ('edited', 'recoded')
                and p.contributor_id is not null
                and m.metric_code ~ '^report_(?!received)'
                then 'progressed'
            else r.reason
        end as reason
    from moved as m
    inner join reasons as r
        on m.change = r.change and m.edition_id = r.edition_id and m.contributor_id = r.contributor_id
    left join progressed as p on m.edition_id = p.edition_id and m.contributor_id = p.contributor_id
),

explained as (
    select
        m.edition_id,
        m.metric_code,
        m.category_code,
        place.regency_code,
        span.period,
        coalesce(sum(m.change) filter (where m.reason = 'late'), 0)::bigint as late,
        coalesce(sum(m.change) filter (where m.reason = 'edited'), 0)::bigint as edited,
        coalesce(sum(m.change) filter (where m.reason = 'withdrawn'), 0)::bigint as withdrawn,
        coalesce(sum(m.change) filter (where m.reason = 'recoded'), 0)::bigint as recoded,
        coalesce(sum(m.change) filter (where m.reason = 'progressed'), 0)::bigint as progressed,
        coalesce(sum(m.change) filter (where m.reason = 'excluded'), 0)::bigint as excluded
    from reasoned as m
    inner join earlier as e on m.edition_id = e.edition_id
    cross join lateral (values (m.regency_code), (%(area)s::text)) as place (regency_code)
    cross join lateral (
        values ('to_date', true), ('week', m.week_id = e.week_id), (m.week_id, true)
    ) as span (period, is_in)
    where span.is_in
    group by m.edition_id, m.metric_code, m.category_code, place.regency_code, span.period
),

stated as (
    select
        e.edition_id,
        f.metric_code,
        f.category_code,
        f.regency_code,
        span.period,
        e.week_id,
        span.period as counted,
        span.stated_value
    from earlier as e
    inner join published.metric as f on e.edition_id = f.edition_id
    cross join lateral (
        values ('week', f.week_value), ('to_date', f.to_date_value)
    ) as span (period, stated_value)
    union all
    select
        e.edition_id,
        f.metric_code,
        f.category_code,
        f.regency_code,
        before.period,
        before.period as week_id,
        'week' as counted,
        f.previous_week_value as stated_value
    from earlier as e
    inner join published.metric as f on e.edition_id = f.edition_id
    cross join lateral (
        select max(t.week_id) as period
        from published.trend as t
        where t.edition_id = e.edition_id and t.week_id < e.week_id
    ) as before
    where
        f.regency_code <> %(area)s
        and before.period not in (select week_id from earlier)
        and f.previous_week_value is not null
    union all
    select
        e.edition_id,
        t.metric_code,
        t.category_code,
        %(area)s::text as regency_code,
        t.week_id as period,
        t.week_id,
        'week' as counted,
        t.value as stated_value
    from (
        select *
        from earlier
        order by week_id desc
        limit 1
    ) as e
    inner join published.trend as t on e.edition_id = t.edition_id
    where t.week_id not in (select week_id from earlier)
),

-- the value that the newest edition of an earlier week has published in its restatements
later_restatement as (
    select distinct on (
        t.of_edition_id, t.metric_code, t.category_code, t.regency_code, t.period
    )
        t.of_edition_id as edition_id,
        t.metric_code,
        t.category_code,
        t.regency_code,
        t.period,
        t.new_value as published_value
    from published.restatement as t
    inner join published.edition as e on t.edition_id = e.edition_id
    where
        e.office_code = %(office)s
        and e.state = 'published'
        and e.week_id < %(week)s
        and e.batch_watermark <= %(watermark)s
    order by
        t.of_edition_id asc, t.metric_code asc, t.category_code asc, t.regency_code asc,
        t.period asc, e.week_id desc, e.revision desc
)

select
    s.edition_id as of_edition_id,
    s.metric_code,
    s.category_code,
    s.regency_code,
    s.period,
    s.stated_value as old_value,
    coalesce(n.value, 0) as new_value,
    coalesce(x.late, 0) as late_count,
    coalesce(x.edited, 0) as edited_count,
    coalesce(x.withdrawn, 0) as withdrawn_count,
    coalesce(x.recoded, 0) as recoded_count,
    coalesce(t.published_value = coalesce(n.value, 0), false) as is_published,
    coalesce(x.progressed, 0) as progressed_count,
    t.published_value,
    coalesce(x.excluded, 0) as excluded_count
from stated as s
left join later_restatement as t
    on
        s.edition_id = t.edition_id
        and s.metric_code = t.metric_code
        and s.category_code = t.category_code
        and s.regency_code = t.regency_code
        and s.period = t.period
left join explained as x
    on
        s.edition_id = x.edition_id
        and s.metric_code = x.metric_code
        and s.category_code = x.category_code
        and s.regency_code = x.regency_code
        and s.period = x.period
left join reporting.rpt_metric as n
    on
        s.metric_code = n.metric_code
        and s.category_code = n.category_code
        and s.regency_code = n.regency_code
        and s.week_id = n.week_id
        and s.counted = n.period
where
    coalesce(n.value, 0) <> s.stated_value
    or coalesce(n.value, 0) <> coalesce(t.published_value, s.stated_value)
