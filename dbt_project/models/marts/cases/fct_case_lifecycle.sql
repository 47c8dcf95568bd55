{{ config(tags=['static'], meta={'published_as': 'view'}) }}
-- A register shows a case's status, not the day on which it changed: each step has two bounds.
with steps as (
    select
        events.report_id,
        min(events.not_before_date) filter (where statuses.registration_outcome <> 'pending')
            as decided_from_date,
        min(events.seen_date) filter (where statuses.registration_outcome <> 'pending') as decided_to_date,
        min(events.not_before_date) filter (where statuses.registration_outcome = 'registered')
            as registered_from_date,
        min(events.seen_date) filter (where statuses.registration_outcome = 'registered')
            as registered_to_date,
        min(events.not_before_date) filter (where statuses.is_concluded) as concluded_from_date,
        min(events.seen_date) filter (where statuses.is_concluded) as concluded_to_date,
        min(events.not_before_date) filter (where statuses.result_code = 'PROVEN') as proven_from_date,
        min(events.seen_date) filter (where statuses.result_code = 'PROVEN') as proven_to_date,
        min(events.not_before_date) filter (where statuses.result_code in ('FORWARDED', 'CLOSED'))
            as forwarded_from_date,
        min(events.seen_date) filter (where statuses.result_code in ('FORWARDED', 'CLOSED'))
            as forwarded_to_date,
        min(events.not_before_date) filter (where statuses.result_code = 'CLOSED') as closed_from_date,
        min(events.seen_date) filter (where statuses.result_code = 'CLOSED') as closed_to_date
    from {{ ref('fct_status_event') }} as events
    inner join (
        select
            status_code,
            registration_outcome,
            result_code,
            registration_outcome = 'not_registered' or result_code <> 'IN_PROCESS' as is_concluded
        from {{ ref('dim_status') }}
    ) as statuses on events.to_status_code = statuses.status_code
    group by events.report_id
),

-- a step counts only where the case still stands there: a corrected register takes it back
standing as (
    select
        cases.report_id,
        cases.record_kind,
        cases.regency_code,
        cases.occurred_date,
        cases.known_date,
        cases.received_date,
        cases.week_id,
        cases.registration_outcome,
        cases.registration_outcome <> 'pending' as is_decided,
        cases.registration_outcome = 'registered' as is_registered,
        cases.registration_outcome = 'not_registered' or statuses.result_code <> 'IN_PROCESS'
            as is_concluded,
        statuses.result_code in ('PROVEN', 'FORWARDED', 'CLOSED') as is_not_disproven,
        statuses.result_code in ('FORWARDED', 'CLOSED') as is_forwarded,
        statuses.result_code = 'CLOSED' as is_closed
    from {{ ref('fct_report') }} as cases
    left join {{ ref('dim_status') }} as statuses on cases.status_code = statuses.status_code
    where cases.record_kind in ('LP', 'TM')
)

select
    cases.received_date,
    cases.week_id,
    cases.occurred_date,
    cases.known_date,
    case when cases.is_decided then steps.decided_from_date end as decided_from_date,
    case when cases.is_decided then steps.decided_to_date end as decided_to_date,
    case when cases.is_registered then steps.registered_from_date end as registered_from_date,
    case when cases.is_registered then steps.registered_to_date end as registered_to_date,
    case when cases.is_concluded then steps.concluded_from_date end as concluded_from_date,
    case when cases.is_concluded then steps.concluded_to_date end as concluded_to_date,
    -- what was found to be a violation stays so when it is forwarded or closed
    case when cases.is_not_disproven then steps.proven_from_date end as proven_from_date,
    case when cases.is_not_disproven then steps.proven_to_date end as proven_to_date,
    case when cases.is_forwarded then steps.forwarded_from_date end as forwarded_from_date,
    case when cases.is_forwarded then steps.forwarded_to_date end as forwarded_to_date,
    case when cases.is_closed then steps.closed_from_date end as closed_from_date,
    case when cases.is_closed then steps.closed_to_date end as closed_to_date,
    cases.regency_code,
    cases.report_id,
    cases.record_kind,
    cases.registration_outcome,
    cases.known_date - cases.occurred_date as days_to_known,
    cases.received_date - cases.known_date as days_to_received,
    -- never negative: a receipt may be corrected to a day after the step was seen
    case
        when cases.is_decided
            then steps.decided_from_date - least(steps.decided_from_date, cases.received_date)
    end as days_to_decision_min,
    case
        when cases.is_decided
            then steps.decided_to_date - least(steps.decided_to_date, cases.received_date)
    end as days_to_decision_max,
    case
        when cases.is_registered
            then steps.registered_from_date - least(steps.registered_from_date, cases.received_date)
    end as days_to_registration_min,
    case
        when cases.is_registered
            then steps.registered_to_date - least(steps.registered_to_date, cases.received_date)
    end as days_to_registration_max
from standing as cases
left join steps on cases.report_id = steps.report_id
