{{ config(
    materialized='incremental',
    unique_key=['week_id'],
    indexes=[
        {'columns': ['week_id', 'regency_code', 'issue_code'], 'unique': true},
    ],
    meta={'affected_keys': 'profile'}
) }}
-- One row per regency (and the unknown one), theme and week that has ended, zeros present: the cases
-- from the campaign's first week to that one that name the theme, and what they are compared with.
--
-- Cases of every kind (LP, TM and IA) that name at least one theme count: the profile shows what to
-- prevent, for which tips are evidence as reports are. Where a tip and a case describe the same event,
-- both count, because links never merge cases.
with weeks as (
    {{ ended_weeks() }}
),

ended as (
    select *
    from weeks
    where {{ is_affected('week_id', 'profile') }}
),

-- cumulative to each week that has ended, of the four weeks to it, and of the four weeks before those
counted as (
    select
        ended.week_id,
        metrics.metric_code,
        metrics.category_code,
        metrics.regency_code,
        sum(metrics.member_count) as to_date_count,
        sum(metrics.member_count) filter (where ended.number - weeks.number < 4) as last_4_count,
        sum(metrics.member_count) filter (where ended.number - weeks.number between 4 and 7)
            as previous_4_count
    from {{ ref('int_metric_weeks__counted') }} as metrics
    inner join weeks on metrics.week_id = weeks.week_id
    inner join ended on weeks.number <= ended.number
    where
        metrics.metric_code in (
            'case_with_issue', 'suspected_violation_by_issue', 'tip_by_issue', 'prevention'
        )
    group by ended.week_id, metrics.metric_code, metrics.category_code, metrics.regency_code
),

counts as (
    select
        week_id,
        regency_code,
        category_code as issue_code,
        sum(to_date_count) as case_count,
        sum(to_date_count) filter (where metric_code = 'suspected_violation_by_issue')
            as suspected_violation_count,
        sum(to_date_count) filter (where metric_code = 'tip_by_issue') as tip_count,
        sum(last_4_count) as last_4_weeks_count,
        sum(previous_4_count) as previous_4_weeks_count
    from counted
    where metric_code in ('suspected_violation_by_issue', 'tip_by_issue')
    group by week_id, regency_code, category_code
),

cells as (
    select
        ended.week_id,
        ended.number >= 8 as has_trend,
        regencies.regency_code,
        regencies.is_unknown,
        issues.issue_code,
        {%- for column in [
            'case_count', 'suspected_violation_count', 'tip_count', 'last_4_weeks_count',
            'previous_4_weeks_count'
        ] %}
        coalesce(counts.{{ column }}, 0)::bigint as {{ column }},
        {%- endfor %}
        coalesce(bases.to_date_count, 0)::bigint as base_count,
        coalesce(preventions.to_date_count, 0)::bigint as prevention_count,
        coalesce(preventions.last_4_count, 0)::bigint as last_4_weeks_prevention_count
    from {{ ref('regency') }} as regencies
    cross join {{ ref('issue') }} as issues
    cross join ended
    left join counts
        on
            ended.week_id = counts.week_id
            and regencies.regency_code = counts.regency_code
            and issues.issue_code = counts.issue_code
    left join counted as bases
        on
            bases.metric_code = 'case_with_issue'
            and ended.week_id = bases.week_id
            and regencies.regency_code = bases.regency_code
    left join counted as preventions
        on
            preventions.metric_code = 'prevention'
            and ended.week_id = preventions.week_id
            and regencies.regency_code = preventions.regency_code
)

select
    regency_code,
    issue_code,
    week_id,
    is_unknown,
    has_trend,
    case_count,
    suspected_violation_count,
    tip_count,
    base_count,
    last_4_weeks_count,
    previous_4_weeks_count,
    prevention_count,
    last_4_weeks_prevention_count
from cells
