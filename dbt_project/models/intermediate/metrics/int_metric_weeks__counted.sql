{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[
        {'columns': ['week_id', 'regency_code', 'metric_code', 'category_code'], 'unique': true},
    ],
    meta={'affected_keys': 'week'}
) }}
-- The number of facts that each metric counts, by category, regency and week since the campaign's first
-- day; no rows for zeros. Also, for the issue profile, the cases and tips that name a theme, which are
-- not metrics.
with cases as (
    select
        report_id,
        regency_code,
        received_date,
        week_id,
        record_kind,
        registration_outcome,
        non_registration_reason_code,
        status_code,
        forwarding_target_code,
        is_follow_up_closed,
        campaign_context_code
    from {{ ref('int_reports__located') }}
    where {{ is_affected('regency_code, week_id', 'week') }}
),

terms as (
    select
        report_id,
        vocabulary,
        code
    from {{ ref('int_report_terms__classified') }}
    where {{ is_affected('regency_code, week_id', 'week') }}
),

activities as (
    select *
    from {{ ref('int_activities__located') }}
    where {{ is_affected('regency_code, week_id', 'week') }}
),

submissions as (
    select *
    from {{ ref('int_submissions__expected') }}
    where {{ is_affected('regency_code, week_id', 'week') }}
),

contributors as (
    {{ metric_contributors('cases', 'terms', 'activities', 'submissions', ref('status'), ref('stage')) }}
    union all
    select
        'tip_by_issue' as metric_code,
        terms.code as category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as contributor_id
    from cases
    inner join terms on cases.report_id = terms.report_id
    where
        cases.record_kind = 'IA'
        and terms.vocabulary = 'issue'
        and cases.received_date >= {{ campaign_start(ref('stage')) }}
    union all
    select distinct
        'case_with_issue' as metric_code,
        'ALL' as category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as contributor_id
    from cases
    inner join terms on cases.report_id = terms.report_id
    where terms.vocabulary = 'issue' and cases.received_date >= {{ campaign_start(ref('stage')) }}
)

select
    contributors.metric_code,
    contributors.category_code,
    contributors.regency_code,
    contributors.week_id,
    count(*) as member_count
from contributors
inner join {{ ref('int_weeks__spanned') }} as weeks on contributors.week_id = weeks.week_id
where weeks.has_metrics
group by contributors.metric_code, contributors.category_code, contributors.regency_code, contributors.week_id
