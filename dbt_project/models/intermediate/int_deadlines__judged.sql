-- One row per case and legal clock that runs or ran for it, judged by the rule in force on the day
-- it started. Days are calendar days in Asia/Jakarta; the day after the start is the first
-- (domain.md 1.4).
--
-- A clock starts and ends on a day that the register states, or on a change of status, of which only
-- two bounds are known (int_status_events__ordered). Only what is certain is called met or missed;
-- a clock that may or may not have run out is `unknown`. A case that was first seen after its
-- clock had ended has no row for it, unless the start is a stated day.
with cases as (
    select
        report_id,
        channel,
        regency_code,
        record_kind,
        known_date,
        received_date
    from {{ ref('int_reports__located') }}
    where record_kind in ('LP', 'TM')
),

clocks as (
    select distinct
        rule_code,
        record_kind,
        starts_from
    from {{ ref('deadline_rule') }}
),

events as (
    select
        clocks.rule_code,
        events.report_id,
        events.event_number,
        events.not_before_date,
        events.seen_date,
        running.status_code is not null as is_running
    from {{ ref('int_status_events__ordered') }} as events
    inner join cases on events.report_id = cases.report_id
    inner join clocks on cases.record_kind = clocks.record_kind and clocks.starts_from <> 'known_date'
    left join {{ ref('deadline_status') }} as running
        on clocks.rule_code = running.rule_code and events.to_status_code = running.status_code
),

started as (
    select distinct on (rule_code, report_id)
        rule_code,
        report_id,
        event_number,
        not_before_date,
        seen_date
    from events
    where is_running
    order by rule_code asc, report_id asc, event_number asc
),

spans as (
    select
        clocks.rule_code,
        cases.report_id,
        cases.channel,
        cases.regency_code,
        cases.record_kind,
        case clocks.starts_from
            when 'known_date' then cases.known_date
            when 'received_date' then cases.received_date
            else started.not_before_date
        end as start_from_date,
        case clocks.starts_from
            when 'known_date' then cases.known_date
            when 'received_date' then cases.received_date
            else started.seen_date
        end as start_to_date,
        case clocks.starts_from
            when 'known_date' then cases.received_date
            else ended.not_before_date
        end as end_from_date,
        case clocks.starts_from
            when 'known_date' then cases.received_date
            else ended.seen_date
        end as end_to_date
    from cases
    inner join clocks on cases.record_kind = clocks.record_kind
    left join started
        on cases.report_id = started.report_id and clocks.rule_code = started.rule_code
    left join lateral (
        select
            events.not_before_date,
            events.seen_date
        from events
        where
            events.report_id = cases.report_id
            and events.rule_code = clocks.rule_code
            and (clocks.starts_from <> 'status' or events.event_number > started.event_number)
            and not events.is_running
        order by events.event_number asc
        limit 1
    ) as ended on true
),

dated as (
    select
        spans.*,
        rules.limit_days,
        rules.extension_days,
        rules.legal_source,
        rules.limit_days + rules.extension_days as total_days,
        {% if var('as_of_date') -%}
        date '{{ var('as_of_date') }}'
        {%- else -%}
        {{ jakarta_date('now()') }}
        {%- endif %} as as_of_date
    from spans
    inner join {{ ref('deadline_rule') }} as rules
        on
            spans.rule_code = rules.rule_code
            and spans.record_kind = rules.record_kind
            and spans.start_to_date between rules.valid_from and rules.valid_to
)

select
    report_id,
    rule_code,
    channel,
    regency_code,
    record_kind,
    start_from_date,
    start_to_date,
    start_to_date + limit_days as due_date,
    start_to_date + total_days as extended_due_date,
    end_from_date,
    end_to_date,
    case
        when end_to_date <= start_from_date + total_days then 'met'
        when end_from_date > start_to_date + total_days then 'missed'
        when end_to_date is not null then 'unknown'
        when as_of_date > start_to_date + total_days then 'missed'
        when as_of_date > start_from_date + total_days then 'unknown'
        when as_of_date = start_from_date + total_days then 'due'
        else 'open'
    end as state_code,
    case when end_to_date is null then start_to_date + total_days - as_of_date end as remaining_days,
    as_of_date,
    legal_source
from dated
