{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[
        {'columns': ['week_id', 'regency_code', 'figure_code', 'category_code'], 'unique': true},
    ],
    meta={'scope': 'week'}
) }}
-- How many facts each figure counts, by category, regency and week since the campaign's first day,
-- where there are any; and for the profile of themes, what figures do not say: the cases and tips that
-- name one.
with cases as (
    select
        report_id,
        regency_code,
        received_date,
        week_id,
        record_kind,
        registration_outcome,
        non_registration_reason,
        status_code,
        forwarding_target_code,
        is_follow_up_closed,
        campaign_context_code
    from {{ ref('int_reports__located') }}
    where {{ in_scope('regency_code, week_id', 'week') }}
),

terms as (
    select
        report_id,
        vocabulary,
        code
    from {{ ref('int_report_terms__classified') }}
    where {{ in_scope('regency_code, week_id', 'week') }}
),

activities as (
    select *
    from {{ ref('int_activities__located') }}
    where {{ in_scope('regency_code, week_id', 'week') }}
),

submissions as (
    select *
    from {{ ref('int_submissions__expected') }}
    where {{ in_scope('regency_code, week_id', 'week') }}
),

members as (
    {{ figure_members('cases', 'terms', 'activities', 'submissions', ref('status'), ref('stage')) }}
    union all
    select
        'tip_by_issue' as figure_code,
        terms.code as category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as member_id
    from cases
    inner join terms on cases.report_id = terms.report_id
    where
        cases.record_kind = 'IA'
        and terms.vocabulary = 'issue'
        and cases.received_date >= {{ campaign_start(ref('stage')) }}
    union all
    select distinct
        'case_with_issue' as figure_code,
        'ALL' as category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as member_id
    from cases
    inner join terms on cases.report_id = terms.report_id
    where terms.vocabulary = 'issue' and cases.received_date >= {{ campaign_start(ref('stage')) }}
)

select
    members.figure_code,
    members.category_code,
    members.regency_code,
    members.week_id,
    count(*) as member_count
from members
inner join {{ ref('int_weeks__spanned') }} as weeks on members.week_id = weeks.week_id
where weeks.has_figures
group by members.figure_code, members.category_code, members.regency_code, members.week_id
