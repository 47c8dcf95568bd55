{{ config(
    materialized='incremental',
    unique_key=['week_id'],
    indexes=[
        {'columns': ['week_id', 'regency_code', 'issue_code'], 'unique': true},
    ],
    meta={'scope': 'profile'}
) }}
-- One row per regency (and the unknown one), theme and week that has ended, zeros present: how much of
-- what a regency's office heard from the campaign's first week to that one is about the theme,
-- compared with the province, with an interval.
--
-- Counted are cases of every kind, LP, TM and IA, that name at least one theme: the profile says what
-- to prevent, and a tip is a sign of it as a report is. Where a tip tells of an event that is also a
-- case, both count; links never merge.
--
--     share      p = a / n     a: cases of the regency that name the theme; n: its cases
--     quotient   LQ = p / P    P = A / N: the same share in the province, this regency included
--     interval   of the ratio RR = p / q of the regency to the rest of the province (m = N - n cases,
--                c = A - a of them with the theme), two separate samples: log-normal with
--                Var ln RR = 1/a - 1/n + 1/c - 1/m   (Katz et al. 1978, Biometrics 34:469)
--                and 0.5 added to each of the four against zeros (Walter 1975, Biometrika 62:371);
--                carried over to LQ = RR / (w RR + 1 - w), w = n / N, which grows with RR and is 1
--                where RR is 1.
--     trend      cases of the four weeks to that one against the four before: a change of more than 1.96
--                standard deviations of a difference of two Poisson counts, sqrt(x + y).
--
-- A theme marks a regency where the interval lies above 1 and at least `marked_from_count` cases
-- name it: below, the approximation does not hold and three cases would shout.
with weeks as (
    select
        week_id,
        row_number() over (order by week_id) as number
    from {{ ref('int_weeks__spanned') }}
    where has_figures and is_ended
),

ended as (
    select *
    from weeks
    where {{ in_scope('week_id', 'profile') }}
),

-- to each week that has ended, and in the four to it and the four before
counted as (
    select
        ended.week_id,
        figures.figure_code,
        figures.category_code,
        figures.regency_code,
        sum(figures.member_count) as to_date_count,
        sum(figures.member_count) filter (where ended.number - weeks.number < 4) as last_4_count,
        sum(figures.member_count) filter (where ended.number - weeks.number between 4 and 7)
            as previous_4_count
    from {{ ref('int_figure_weeks__counted') }} as figures
    inner join weeks on figures.week_id = weeks.week_id
    inner join ended on weeks.number <= ended.number
    where
        figures.figure_code in (
            'case_with_issue', 'suspected_violation_by_issue', 'tip_by_issue', 'prevention'
        )
    group by ended.week_id, figures.figure_code, figures.category_code, figures.regency_code
),

counts as (
    select
        week_id,
        regency_code,
        category_code as issue_code,
        sum(to_date_count) as case_count,
        sum(to_date_count) filter (where figure_code = 'suspected_violation_by_issue')
            as suspected_violation_count,
        sum(to_date_count) filter (where figure_code = 'tip_by_issue') as tip_count,
        sum(last_4_count) as last_4_weeks_count,
        sum(previous_4_count) as previous_4_weeks_count
    from counted
    where figure_code in ('suspected_violation_by_issue', 'tip_by_issue')
    group by week_id, regency_code, category_code
),

cells as (
    select
        ended.week_id,
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
            bases.figure_code = 'case_with_issue'
            and ended.week_id = bases.week_id
            and regencies.regency_code = bases.regency_code
    left join counted as preventions
        on
            preventions.figure_code = 'prevention'
            and ended.week_id = preventions.week_id
            and regencies.regency_code = preventions.regency_code
),

compared as (
    select
        *,
        sum(case_count) over (partition by week_id, issue_code) as province_case_count,
        sum(base_count) over (partition by week_id, issue_code) as province_base_count
    from cells
),

ratios as (
    select
        *,
        case_count::double precision / nullif(base_count, 0) as share,
        province_case_count::double precision / nullif(province_base_count, 0) as province_share,
        base_count::double precision / nullif(province_base_count, 0) as weight,
        ln(
            ((case_count + 0.5) / (base_count + 0.5))
            / ((province_case_count - case_count + 0.5) / (province_base_count - base_count + 0.5))
        )::double precision as ln_ratio,
        1.959964 * sqrt((
            1 / (case_count + 0.5) - 1 / (base_count + 0.5)
            + 1 / (province_case_count - case_count + 0.5)
            - 1 / (province_base_count - base_count + 0.5)
        )::double precision) as ln_margin
    from compared
),

quotients as (
    select
        *,
        share / nullif(province_share, 0) as quotient,
        exp(ln_ratio - ln_margin) / (weight * exp(ln_ratio - ln_margin) + 1 - weight) as lower,
        exp(ln_ratio + ln_margin) / (weight * exp(ln_ratio + ln_margin) + 1 - weight) as upper
    from ratios
)

select
    regency_code,
    issue_code,
    week_id,
    case_count,
    suspected_violation_count,
    tip_count,
    base_count,
    round((100 * share)::numeric, 1) as share_pct,
    round((100 * province_share)::numeric, 1) as province_share_pct,
    round(quotient::numeric, 2) as location_quotient,
    -- With a zero among the counts the interval reaches the quotient itself.
    case when quotient is not null then round(least(lower, quotient)::numeric, 2) end
        as location_quotient_lower,
    case when quotient is not null then round(greatest(upper, quotient)::numeric, 2) end
        as location_quotient_upper,
    -- Judged before it is carried over, which may end a hair above 1 where all cases of the province
    -- name the theme; and what does not show at two places marks nothing.
    not is_unknown
    and case_count >= {{ var('marked_from_count') }}
    and ln_ratio > ln_margin
    and coalesce(round(quotient::numeric, 2) > 1, false) as is_marked,
    last_4_weeks_count,
    previous_4_weeks_count,
    case
        when
            abs(last_4_weeks_count - previous_4_weeks_count)
            <= 1.96 * sqrt(last_4_weeks_count + previous_4_weeks_count)
            then 'steady'
        when last_4_weeks_count > previous_4_weeks_count then 'rising'
        else 'falling'
    end as trend_code,
    prevention_count,
    last_4_weeks_prevention_count
from quotients
