-- The items that a person should review (seed review_check), one row each. In an increment, the items of
-- changed deliveries, pairs and decisions, and those about no single delivery; the mart keeps the others.
-- A new version of a delivery replaces the items of the delivery. Items hold no texts of a delivery, except
-- short words of vocabularies, which name no person. A removed channel has no items until it is restored.
{%- set changed = 'select delivery_id from ' ~ ref('stg_intake__changes') %}
{%- set is_changed = 'in (' ~ changed ~ ')' if is_increment() else 'is not null' %}
{%- set fields = canonical_fields() %}
{%- set dates = fields | selectattr('parser', 'equalto', 'date') | list %}
{%- set terms = fields | rejectattr('parser', 'equalto', 'list') | selectattr('vocabulary') | list %}
{%- set lists = fields | selectattr('parser', 'equalto', 'list') | list %}
-- A recap has campaign methods and prevention types in one column; a word of either vocabulary is known.
with unread as (
    select
        terms.vocabulary,
        terms.term_raw,
        'word_unknown' as check_code
    from {{ ref('int_terms__mapped') }} as terms
    where
        terms.code is null
        and not terms.is_blank
        and not exists (
            select 1
            from {{ ref('int_terms__mapped') }} as others
            where
                terms.vocabulary in ('method', 'prevention_type')
                and others.vocabulary in ('method', 'prevention_type')
                and others.term_raw = terms.term_raw
                and others.code is not null
        )
    union all
    select
        fields.name as vocabulary,
        dates.date_raw as term_raw,
        case when dates.date_day is null then 'date_unreadable' else 'weekday_disagrees' end as check_code
    from {{ ref('int_dates__read') }} as dates
    cross join (
        values
        {%- for field in dates %}
        ('{{ field.name }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as fields (name)
    where (dates.date_day is null and not dates.is_blank) or dates.is_weekday_wrong
),

found as (
    select
        records.delivery_id,
        unread.check_code,
        unread.vocabulary as subject,
        case when unread.check_code = 'word_unknown' then ops.term_key(unread.term_raw) end as word,
        null::date as since_date
    from {{ ref('stg_intake__records') }} as records
    cross join lateral (
        values
        {%- for field in terms %}
        ('{{ field.vocabulary }}', records.{{ field.column }}),
        {%- endfor %}
        {%- for field in dates %}
        ('{{ field.name }}', records.{{ field.column }}){{ ',' if not loop.last }}
        {%- endfor %}
        {%- for field in lists %}
        union all
        select
            '{{ field.vocabulary }}' as vocabulary,
            unnest(records.{{ field.column }}) as term_raw
        {%- endfor %}
    ) as written (vocabulary, term_raw)
    inner join unread on written.vocabulary = unread.vocabulary and written.term_raw = unread.term_raw
    union all
    select
        delivery_id,
        'value_too_long' as check_code,
        unnest(too_long_fields) as subject,
        null as word,
        null as since_date
    from {{ ref('stg_intake__records') }}
    union all
    select
        records.delivery_id,
        'place_unresolved' as check_code,
        places.location_method as subject,
        null as word,
        null as since_date
    from {{ ref('int_records__typed') }} as records
    inner join {{ ref('int_places__resolved') }} as places on records.place_id = places.place_id
    where
        records.exclusion_code is null
        and {{ is_unknown_regency('places.regency_code') }}
        and places.location_method <> 'not_said'
        and records.delivery_id {{ is_changed }}
    union all
    select
        delivery_id,
        'possible_test_row' as check_code,
        'score ' || test_score as subject,
        null as word,
        null as since_date
    from {{ ref('int_records__typed') }}
    where
        exclusion_code is null
        and test_score >= {{ var('possible_test_row_from') }}
        and delivery_id {{ is_changed }}
    union all
    select
        delivery_id,
        'count_unreadable' as check_code,
        unnest(unreadable_counts) as subject,
        null as word,
        null as since_date
    from {{ ref('int_records__typed') }}
    where delivery_id {{ is_changed }}
    union all
    select
        records.delivery_id,
        reasons.check_code,
        'not_counted' as subject,
        null as word,
        null as since_date
    from {{ ref('int_records__excluded') }} as records
    inner join {{ ref('exclusion_reason') }} as reasons on records.reason_code = reasons.reason_code
    where
        reasons.check_code is not null
        -- A channel that maps no dates has none to correct.
        and (
            reasons.check_code <> 'date_missing'
            or records.channel in (
                select fields.channel
                from {{ source('reference', 'channel_field') }} as fields
                where fields.field in ('received_date', 'activity_date', 'period_date', 'plan_start_date')
            )
        )
        and records.delivery_id {{ is_changed }}
    union all
    select
        report_id as delivery_id,
        'date_order_impossible' as check_code,
        case
            when occurred_date > known_date then 'occurred_after_known'
            when known_date > received_date then 'known_after_received'
            else 'occurred_after_received'
        end as subject,
        null as word,
        null as since_date
    from {{ ref('int_reports__located') }}
    where
        (occurred_date > known_date or known_date > received_date or occurred_date > received_date)
        and report_id {{ is_changed }}
    union all
    select
        report_id as delivery_id,
        'registration_vanished' as check_code,
        'number' as subject,
        null as word,
        null as since_date
    from {{ ref('int_reports__located') }}
    where is_registration_kept and report_id {{ is_changed }}
    union all
    -- An illegal step that a later step corrected is not listed.
    select
        events.report_id as delivery_id,
        'status_change_illegal' as check_code,
        events.from_status_code || '_to_' || events.to_status_code as subject,
        null as word,
        events.seen_date as since_date
    from {{ ref('int_status_events__ordered') }} as events
    where
        events.is_illegal
        and not exists (
            select 1
            from {{ ref('int_status_events__ordered') }} as later
            where later.report_id = events.report_id and later.event_number > events.event_number
        )
        and events.report_id {{ is_changed }}
),

asked as (
    select
        found.delivery_id,
        found.check_code,
        records.channel,
        coalesce(places.regency_code, {{ unknown_regency(province_of('records.place_id')) }}) as regency_code,
        found.subject,
        -- A word that no seed has is landed under a pseudonym. Of one that is not, what may name a
        -- person is not shown: the accused's role, a reason, anything like a sentence.
        case
            when found.word like '~%' then found.word
            when
                found.subject not in (
                    {%- for field in terms if field.may_name_person %}
                    '{{ field.vocabulary }}'{{ ',' if not loop.last }}
                    {%- endfor %}
                )
                and ops.names_nobody(found.word)
                then found.word
        end as word,
        records.record_id,
        coalesce(found.since_date, records.receipt_date, records.landed_date) as since_date
    from found
    inner join {{ ref('int_records__typed') }} as records on found.delivery_id = records.delivery_id
    left join {{ ref('int_places__resolved') }} as places on records.place_id = places.place_id
    -- Deliveries that are not reports need no review.
    where
        records.exclusion_code is null
        or found.subject = 'not_counted'
        or (records.exclusion_code = 'unknown_kind' and found.subject = 'record_kind')
),

-- Files that lie, or lay, in the folders of two channels.
shared_files as (
    select decode(files.sha256, 'hex') as sha256
    from {{ source('ops', 'channel_cursor') }} as cursors
    cross join lateral jsonb_each_text(cursors.cursor -> 'files') as files (name, sha256)
    group by files.sha256
    having count(distinct cursors.channel) > 1
),

counted_rows as (
    select
        landed.evidence_sha256,
        -- without the file's name, which may differ
        substr(landed.locator, strpos(landed.locator || ' | ', ' | ')) as place,
        records.kind_code,
        records.channel,
        records.landed_date
    from {{ source('raw', 'record') }} as landed
    inner join shared_files on landed.evidence_sha256 = shared_files.sha256
    inner join {{ ref('int_records__typed') }} as records on landed.record_id = records.record_id
    where records.exclusion_code is null
),

-- Rows of such files that count in both channels.
twins as (
    select
        one.channel,
        other.channel as other_channel,
        one.landed_date
    from counted_rows as one
    inner join counted_rows as other
        on
            one.evidence_sha256 = other.evidence_sha256
            and one.place = other.place
            and one.kind_code = other.kind_code
            and one.channel <> other.channel
),

items as (
    select distinct
        check_code,
        concat_ws('/', delivery_id, subject, word) as item_id,
        regency_code,
        channel,
        concat_ws(': ', subject, word) as detail,
        delivery_id,
        null as other_id,
        record_id,
        1::bigint as record_count,
        since_date
    from asked
    union all
    select
        'pair_undecided' as check_code,
        pairs.report_id_a || '/' || pairs.report_id_b as item_id,
        pairs.regency_code,
        pairs.channel_a as channel,
        concat_ws(', ', pairs.class_code || ' ' || pairs.score, array_to_string(pairs.evidence, ', '))
            as detail,
        pairs.report_id_a as delivery_id,
        pairs.report_id_b as other_id,
        a.record_id,
        2 as record_count,
        greatest(a.received_date, b.received_date) as since_date
    from {{ ref('int_report_pairs__scored') }} as pairs
    inner join {{ ref('int_reports__located') }} as a on pairs.report_id_a = a.report_id
    inner join {{ ref('int_reports__located') }} as b on pairs.report_id_b = b.report_id
    where
        pairs.state_code = 'candidate'
        {%- if is_increment() %}
        and (pairs.report_id_a, pairs.report_id_b) in (
            {{ affected_rows('pair', ref('int_report_pairs__scored')) }}
        )
        {%- endif %}
    union all
    select
        'block_oversized' as check_code,
        overflowed.block_id as item_id,
        -- Cases of one number may be of several regencies: the province alone may read them all.
        case
            when min(reports.regency_code) = max(reports.regency_code) then min(reports.regency_code)
            else {{ unknown_regency(province_of('min(reports.regency_code)')) }}
        end as regency_code,
        reports.channel,
        concat_ws(
            ', ',
            case
                when starts_with(overflowed.block_id, '#') then 'one legal number'
                else coalesce(min(districts.district_name), 'district unknown')
            end,
            split_part(overflowed.block_id, '/', 3),
            split_part(overflowed.block_id, '/', 4)
        ) as detail,
        null as delivery_id,
        null as other_id,
        null as record_id,
        count(*) as record_count,
        min(reports.received_date) as since_date
    from {{ ref('int_report_blocks__overflowed') }} as overflowed
    inner join {{ ref('int_reports__located') }} as reports on overflowed.report_id = reports.report_id
    left join {{ ref('district') }} as districts on reports.district_code = districts.district_code
    group by overflowed.block_id, reports.channel
    union all
    -- Rows of plans that intend the same under different numbers; two with unknown words may intend different
    -- things.
    select
        'plan_repeated' as check_code,
        'plan_repeated/' || min(plans.plan_id) as item_id,
        plans.regency_code,
        min(plans.channel) as channel,
        'records ' || string_agg(plans.record_id::text, ', ' order by plans.record_id) as detail,
        null as delivery_id,
        null as other_id,
        max(plans.record_id) as record_id,
        count(*) as record_count,
        max(records.landed_date) as since_date
    from {{ ref('int_prevention_plans__located') }} as plans
    inner join {{ ref('int_records__typed') }} as records on plans.plan_id = records.delivery_id
    where plans.unknown_fields = '{}' and not {{ is_unknown_regency('plans.regency_code') }}
    group by
        plans.regency_code, plans.start_date, plans.end_date, plans.prevention_form_code,
        plans.issue_codes, plans.target_group_codes, plans.office_level_code
    having count(*) > 1
    union all
    select
        'delivery_quarantined' as check_code,
        records.channel || '/' || records.reason_code as item_id,
        null as regency_code,
        records.channel,
        records.reason_code as detail,
        null as delivery_id,
        null as other_id,
        null as record_id,
        count(*) as record_count,
        min({{ jakarta_date('batches.landed_at') }}) as since_date
    from {{ source('quarantine', 'record') }} as records
    inner join {{ source('raw', 'batch') }} as batches on records.batch_id = batches.batch_id
    where records.resolved_at is null and records.batch_id <= {{ max_batch_id() }}
    group by records.channel, records.reason_code
    union all
    select
        'withdrawal_held' as check_code,
        missing.channel as item_id,
        null as regency_code,
        missing.channel,
        'row_without_number' as detail,
        null as delivery_id,
        null as other_id,
        null as record_id,
        count(*) as record_count,
        min({{ jakarta_date('missing.missed_at') }}) as since_date
    from {{ source('ops', 'missing_record') }} as missing
    where missing.is_held and missing.batch_id <= {{ max_batch_id() }}
    group by missing.channel
    union all
    select
        'rows_in_two_channels' as check_code,
        twins.channel || '/' || twins.other_channel as item_id,
        null as regency_code,
        twins.channel,
        twins.other_channel as detail,
        null as delivery_id,
        null as other_id,
        null as record_id,
        count(*) as record_count,
        min(twins.landed_date) as since_date
    from twins
    group by twins.channel, twins.other_channel
    union all
    select
        'channel_held' as check_code,
        holds.channel || '/' || holds.check_name as item_id,
        null as regency_code,
        holds.channel,
        holds.check_name as detail,
        null as delivery_id,
        null as other_id,
        null as record_id,
        greatest(coalesce(sum(batches.landed_count + batches.tombstone_count), 0), 1)::bigint
            as record_count,
        {{ jakarta_date('holds.held_at') }} as since_date
    from {{ source('ops', 'channel_hold') }} as holds
    left join {{ source('raw', 'batch') }} as batches
        on
            holds.channel = batches.channel
            and holds.after_batch_id < batches.batch_id
            and batches.batch_id <= {{ max_batch_id() }}
    where holds.hold_id in ({{ hold_ids() }})
    group by holds.hold_id
)

select
    items.check_code,
    items.item_id,
    -- what concerns a channel as a whole is listed for its province
    coalesce(items.regency_code, {{ unknown_regency(channel_province('channels')) }}) as regency_code,
    checks.severity,
    checks.owner,
    items.channel,
    items.detail,
    items.delivery_id,
    items.other_id,
    items.record_id,
    items.record_count,
    items.since_date,
    checks.remediation
from items
inner join {{ ref('review_check') }} as checks on items.check_code = checks.check_code
left join {{ source('reference', 'channel') }} as channels on items.channel = channels.channel
where channels.state is distinct from 'removed'
