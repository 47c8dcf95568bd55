{{ config(materialized='view') }}
-- The definition of every figure: one row per fact that it counts.
with cases as (
    select
        reports.report_id as member_id,
        reports.regency_code,
        reports.week_id,
        reports.record_kind,
        reports.registration_outcome,
        case when reports.registration_outcome = 'not_registered' then
            coalesce(upper(reports.non_registration_reason), 'UNSTATED')
        end as reason_code,
        -- A number with Reg over a status that is still open: registered, and still handled.
        case when reports.registration_outcome = 'registered' then
            coalesce(statuses.result_code, 'IN_PROCESS')
        end as result_code
    from {{ ref('int_reports__located') }} as reports
    left join {{ ref('status') }} as statuses on reports.status_code = statuses.status_code
    where reports.record_kind in ('LP', 'TM')
),

members as (
    select
        'suspected_violation' as figure_code,
        'ALL' as category_code,
        regency_code,
        week_id,
        member_id
    from cases
    union all
    select
        named.figure_code,
        cases.record_kind as category_code,
        cases.regency_code,
        cases.week_id,
        cases.member_id
    from cases
    cross join lateral (
        values
        ('suspected_violation_by_kind'),
        ('report_received'),
        ('report_' || cases.registration_outcome)
    ) as named (figure_code)
    union all
    select
        case terms.vocabulary
            when 'issue' then 'suspected_violation_by_issue'
            else 'suspected_violation_by_type'
        end as figure_code,
        terms.code as category_code,
        cases.regency_code,
        cases.week_id,
        cases.member_id
    from cases
    inner join {{ ref('int_report_terms__classified') }} as terms
        on cases.member_id = terms.report_id
    union all
    select
        'report_registered_by_type' as figure_code,
        terms.code as category_code,
        cases.regency_code,
        cases.week_id,
        cases.member_id
    from cases
    inner join {{ ref('int_report_terms__classified') }} as terms
        on cases.member_id = terms.report_id and terms.vocabulary = 'violation_type'
    where cases.registration_outcome = 'registered'
    union all
    select
        named.figure_code,
        named.category_code,
        cases.regency_code,
        cases.week_id,
        cases.member_id
    from cases
    cross join lateral (
        values
        ('report_not_registered_by_reason', cases.reason_code),
        ('report_registered_by_result', cases.result_code)
    ) as named (figure_code, category_code)
    where named.category_code is not null
    union all
    select
        'tip' as figure_code,
        'ALL' as category_code,
        regency_code,
        week_id,
        report_id as member_id
    from {{ ref('int_reports__located') }}
    where record_kind = 'IA'
    union all
    select
        named.figure_code,
        named.category_code,
        activities.regency_code,
        activities.week_id,
        activities.activity_id as member_id
    from {{ ref('int_activities__located') }} as activities
    cross join lateral (
        values
        ('campaign_event_by_election', activities.election_code),
        ('campaign_event_by_method', activities.method_code)
    ) as named (figure_code, category_code)
    where activities.record_kind = 'LHP' and named.category_code is not null
    union all
    select
        named.figure_code,
        named.category_code,
        activities.regency_code,
        activities.week_id,
        activities.activity_id as member_id
    from {{ ref('int_activities__located') }} as activities
    cross join lateral (
        values
        ('prevention', 'ALL'),
        ('prevention_by_type', activities.prevention_type_code)
    ) as named (figure_code, category_code)
    where activities.record_kind = 'PREV' and named.category_code is not null
    union all
    select
        named.figure_code,
        'ALL' as category_code,
        submissions.regency_code,
        submissions.week_id,
        submissions.district_code || '/' || submissions.week_id as member_id
    from {{ ref('int_submissions__expected') }} as submissions
    cross join lateral (
        values ('district_expected', true), ('district_submitted', submissions.is_submitted)
    ) as named (figure_code, is_member)
    where named.is_member
)

select members.*
from members
inner join {{ ref('int_weeks__spanned') }} as weeks on members.week_id = weeks.week_id
where weeks.is_campaign
