{#- ADR 13 gives the reasons for these two values. -#}
{%- set prior_cases = 2 %}
{%- set false_share = 0.075 %}
{%- set trend_level = 0.01 %}
{{ config(
    materialized='incremental',
    unique_key=['week_id'],
    indexes=[
        {'columns': ['week_id', 'regency_code', 'issue_code'], 'unique': true},
    ],
    meta={'affected_keys': 'profile'}
) }}
-- One row per regency (and the unknown one), theme and week that has ended: the share of a regency's cases
-- that name the theme, compared with the province, and whether the theme stands out.
--
--     share      p = a / n     a: cases of the regency that name the theme; n: its cases
--     quotient   p / P         P = A / N: the same share in the province, this regency included
--     shrunk     (a + 2) / (e + 2), with e = n P the cases expected at the province's share: the mean
--                of a Gamma(2, 2) prior around 1 after a Poisson count, so that few cases say little
--     score      z = ln(shrunk) / s with s^2 = (1 - n / N) (1 - P) / (a + 2): the delta method, times
--                the share of a hypergeometric variance that a Poisson count does not have
--     interval   shrunk * exp(-+ limit * s), extended to the quotient itself where that lies outside:
--                the range decides `marked`; it is not a confidence interval of the quotient (ADR 13)
--     limit      one for all cells of a week: the smallest with
--                  expected number of cells above it by chance <= 0.075 * number of cells above it,
--                but at least 1.96. Chance is exact: with themes dealt out at random over the
--                province's cases, a is hypergeometric (N, A, n), however many themes a case names.
--                That controls the false discovery rate over all cells (Benjamini and Hochberg 1995;
--                for counts: Heyse 2011).
--     marked     the whole interval lies above 1 as it is published, with two decimals; cases of an
--                unknown place count in the province and are not compared with it.
--     trend      cases of the four weeks to that one (x) against the four before (y): rising or
--                falling where chance gives such a difference at most once in a hundred times, by the
--                exact two-sided binomial test, 2 P(B(x + y, 1/2) <= min(x, y)) <= 0.01. One per cent,
--                because about a hundred cells are tested. No trend before eight weeks of the campaign
--                have ended: weeks before the campaign are missing, not zero.
-- Shares and quotients are exact; they are rounded once, when printed.
with totals as (
    select
        *,
        {{ province_of('regency_code') }} as province_code,
        sum(case_count) over one_theme::bigint as province_case_count,
        sum(base_count) over one_theme::bigint as province_base_count
    from {{ ref('int_issue_profiles__counted') }}
    where {{ is_affected('week_id', 'profile') }}
    window one_theme as (partition by week_id, {{ province_of('regency_code') }}, issue_code)
),

compared as (
    select
        *,
        trim_scale(100 * case_count::numeric / nullif(base_count, 0)) as share_pct,
        trim_scale(100 * province_case_count::numeric / nullif(province_base_count, 0))
            as province_share_pct,
        trim_scale(
            case_count::numeric * province_base_count / nullif(base_count * province_case_count, 0)
        ) as location_quotient,
        base_count::double precision * province_case_count / nullif(province_base_count, 0)
            as expected,
        -- 0 where the regency has all cases of the province, or all cases name the theme
        (1 - base_count::double precision / nullif(province_base_count, 0))
        * (1 - province_case_count::double precision / nullif(province_base_count, 0)) as remainder,
        lgamma(province_case_count + 1)
        + lgamma(province_base_count - province_case_count + 1)
        - lgamma(province_base_count + 1)
        + lgamma(base_count + 1)
        + lgamma(province_base_count - base_count + 1) as ln_margins
    from totals
),

-- The actual and the possible counts of a cell that score above 1.96, with their probability by chance.
-- Counts so far above the expected one that the probability is below 1e-8 are left out.
possible as (
    select
        cells.week_id,
        cells.province_code,
        counts.case_count = cells.case_count as is_observed,
        scores.score,
        exp(greatest(
            cells.ln_margins
            - lgamma(counts.case_count + 1)
            - lgamma(cells.province_case_count - counts.case_count + 1)
            - lgamma(cells.base_count - counts.case_count + 1)
            - lgamma(
                cells.province_base_count - cells.province_case_count
                - cells.base_count + counts.case_count + 1
            ),
            -700 -- below, exp() fails
        ))::numeric as probability -- a sum of numerics is the same in any order
    from compared as cells
    cross join lateral (
        select cells.case_count
        union
        select possible_count as case_count
        from generate_series(
            ceil(cells.expected)::bigint,
            least(
                cells.base_count,
                cells.province_case_count,
                ceil(cells.expected + 6 * sqrt(cells.expected) + 10)::bigint
            )
        ) as series (possible_count)
    ) as counts
    cross join lateral (
        select
            ln((counts.case_count + {{ prior_cases }}) / (cells.expected + {{ prior_cases }}))
            / sqrt(nullif(cells.remainder, 0) / (counts.case_count + {{ prior_cases }})) as score
    ) as scores
    where not cells.is_unknown and scores.score > 1.96

    union all

    select distinct
        week_id,
        province_code,
        false as is_observed,
        1.96 as score,
        0 as probability
    from compared
),

above as (
    select
        week_id,
        province_code,
        score,
        coalesce(sum(probability) over above, 0) as chance_count,
        count(*) filter (where is_observed) over above as observed_count
    from possible
    window above as (
        partition by week_id, province_code
        order by score desc groups between unbounded preceding and 1 preceding
    )
),

limits as (
    select
        week_id,
        province_code,
        min(score) as score_limit
    from above
    where chance_count <= {{ false_share }} * greatest(observed_count, 1)
    group by week_id, province_code
),

intervals as (
    select
        compared.*,
        -- the unknown regency counts in the province, but is not compared with it
        compared.location_quotient is not null and not compared.is_unknown as is_compared,
        (compared.case_count + {{ prior_cases }}) / (compared.expected + {{ prior_cases }}) as shrunk,
        exp(limits.score_limit * sqrt(compared.remainder / (compared.case_count + {{ prior_cases }})))
            as factor
    from compared
    inner join limits on compared.week_id = limits.week_id and compared.province_code = limits.province_code
),

published as (
    select
        *,
        case
            when is_compared then round(least((shrunk / factor)::numeric, location_quotient), 2)
        end as location_quotient_lower,
        case
            when is_compared then round(greatest((shrunk * factor)::numeric, location_quotient), 2)
        end as location_quotient_upper
    from intervals
)

select
    regency_code,
    issue_code,
    week_id,
    case_count,
    suspected_violation_count,
    tip_count,
    base_count,
    share_pct,
    province_share_pct,
    location_quotient,
    location_quotient_lower,
    location_quotient_upper,
    coalesce(location_quotient_lower > 1, false) as is_marked,
    last_4_weeks_count,
    case when has_trend then previous_4_weeks_count end as previous_4_weeks_count,
    case
        when not has_trend then 'not_enough_weeks'
        when 2 * tails.probability > {{ trend_level }} then 'steady'
        when last_4_weeks_count > previous_4_weeks_count then 'rising'
        else 'falling'
    end as trend_code,
    prevention_count,
    last_4_weeks_prevention_count
from published
cross join lateral (
    select
        sum(exp(greatest(
            lgamma(last_4_weeks_count + previous_4_weeks_count + 1)
            - lgamma(heads.count + 1)
            - lgamma(last_4_weeks_count + previous_4_weeks_count - heads.count + 1)
            - (last_4_weeks_count + previous_4_weeks_count) * ln(2.0::double precision),
            -700
        ))::numeric) as probability
    from generate_series(0, least(last_4_weeks_count, previous_4_weeks_count)) as heads (count)
) as tails
