{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[
        {'columns': ['report_id', 'rule_code'], 'unique': true},
    ],
    post_hook="{{ after_full_build('create index on ' ~ this ~ ' (' ~ judged_on() ~ ')') }}",
    meta={'affected_keys': 'deadline'}
) }}
-- One row per case and legal deadline that runs or ran for it, by the rule in force on the day it
-- started. Days are calendar days in Asia/Jakarta; the day after the start is the first
-- (domain.md 1.4).
--
-- A deadline starts and ends on a day that the register states, or on a change of status, for which
-- only two bounds are known (int_status_events__ordered). So its last day has two bounds too, and what
-- remains is counted to the earliest. Its state (macro deadline_state) is that on the build's day while
-- it runs, and that at its end afterwards. A case that was first seen after its deadline had ended has
-- no row for it, unless the start is a stated day.
--
-- A case that a step that is not allowed brought back into the deadline, and that is there now, runs on:
-- its register took the end back, as fct_case_lifecycle takes back the decision.
--
-- `UNCERTAIN` (end_to_date 9999-12-31): the start is stated, but the source never gives a status or a
-- registered number, so it does not show whether the case was handled. Also `UNCERTAIN`: the step that
-- ended the deadline is not allowed (int_status_events__ordered), so it probably corrects the register.
-- Registration, by status or by number, starts the deadline of handling (UU 10/2016 Art. 134(5)).
with cases as (
    select
        report_id,
        channel,
        regency_code,
        record_kind,
        known_date,
        received_date
    from {{ ref('int_reports__located') }}
    where record_kind in ('LP', 'TM') and {{ is_affected('report_id', 'deadline') }}
),

deadlines as (
    select distinct
        rule_code,
        record_kind,
        starts_from
    from {{ ref('deadline_rule') }}
),

events as (
    select
        deadlines.rule_code,
        deadlines.starts_from,
        events.report_id,
        events.event_number,
        events.not_before_date,
        events.seen_date,
        events.is_illegal,
        running.status_code is not null as is_running
    from {{ ref('int_status_events__ordered') }} as events
    inner join cases on events.report_id = cases.report_id
    inner join deadlines
        on cases.record_kind = deadlines.record_kind and deadlines.starts_from <> 'known_date'
    left join {{ ref('deadline_status') }} as running
        on deadlines.rule_code = running.rule_code and events.to_status_code = running.status_code
),

started as (
    select
        *,
        min(event_number) filter (where is_running) over (partition by rule_code, report_id)
            as start_number,
        -- how often the case is in the deadline from here on: an end and the return after it have one number
        count(*) filter (where is_running) over (
            partition by rule_code, report_id order by event_number desc
        ) as stay_number
    from events
),

undone as (
    select
        *,
        bool_or(is_illegal) over (partition by rule_code, report_id, stay_number)
        and min(stay_number) over (partition by rule_code, report_id) > 0 as is_undone
    from started
),

ended as (
    select
        *,
        min(event_number) filter (
            where
                not is_running and not is_undone
                and (starts_from <> 'status' or event_number > start_number)
        ) over (partition by rule_code, report_id) as end_number
    from undone
),

-- the change of status that started each deadline, and the one that ended it
by_status as (
    select
        rule_code,
        report_id,
        end_number,
        min(not_before_date) filter (where event_number = start_number) as started_from_date,
        min(seen_date) filter (where event_number = start_number) as started_to_date,
        min(not_before_date) filter (where event_number = end_number) as ended_from_date,
        min(seen_date) filter (where event_number = end_number) as ended_to_date,
        bool_or(is_illegal) filter (where event_number = end_number) as is_corrected
    from ended
    group by rule_code, report_id, end_number
),

spans as (
    select
        deadlines.rule_code,
        cases.report_id,
        cases.channel,
        cases.regency_code,
        cases.record_kind,
        case deadlines.starts_from
            when 'known_date' then cases.known_date
            when 'received_date' then cases.received_date
            else by_status.started_from_date
        end as start_from_date,
        case deadlines.starts_from
            when 'known_date' then cases.known_date
            when 'received_date' then cases.received_date
            else by_status.started_to_date
        end as start_to_date,
        case
            when deadlines.starts_from = 'known_date' then cases.received_date
            when by_status.end_number is not null then by_status.ended_from_date
            when deadlines.starts_from = 'received_date' and by_status.report_id is null
                then cases.received_date
        end as end_from_date,
        case
            when deadlines.starts_from = 'known_date' then cases.received_date
            when by_status.end_number is not null then by_status.ended_to_date
            when deadlines.starts_from = 'received_date' and by_status.report_id is null
                then date '9999-12-31'
        end as end_to_date,
        deadlines.starts_from <> 'known_date' and coalesce(by_status.is_corrected, false) as is_corrected
    from cases
    inner join deadlines on cases.record_kind = deadlines.record_kind
    left join by_status on cases.report_id = by_status.report_id and deadlines.rule_code = by_status.rule_code
),

dated as (
    select
        spans.*,
        rules.valid_from,
        rules.legal_source,
        spans.start_from_date + rules.limit_days as due_date,
        spans.start_from_date + rules.limit_days + rules.extension_days as extended_due_date,
        spans.start_to_date + rules.limit_days + rules.extension_days as latest_due_date,
        {{ as_of_date() }} as as_of_date
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
    valid_from,
    start_from_date,
    start_to_date,
    due_date,
    extended_due_date,
    latest_due_date,
    end_from_date,
    end_to_date,
    case
        when is_corrected or end_to_date = date '9999-12-31' then 'UNCERTAIN'
        else {{ deadline_state('coalesce(dated.end_to_date, dated.as_of_date)', 'dated') }}
    end as state_code,
    case when end_to_date is null then extended_due_date - as_of_date end as remaining_days,
    -- The state of an ended deadline is final, also where its end will never be known.
    case
        when end_to_date = date '9999-12-31' then start_to_date
        else coalesce(end_to_date, as_of_date)
    end as as_of_date,
    legal_source
from dated
