{{ config(
    materialized='incremental',
    unique_key=['report_id_a', 'report_id_b'],
    indexes=[
        {'columns': ['report_id_a', 'report_id_b'], 'unique': true},
        {'columns': ['report_id_b']},
    ],
    meta={'scope': 'pair'}
) }}
-- Pairs of cases that different channels may have told of the same event, scored, and what people
-- decided about them. Nothing is merged: a link is a row here, and both cases stay as they are.
--
-- Candidates lie in one regency, were received at most `link_window_days` apart, and tell of one
-- district and of days at most one apart (or not known), or of one day where a district is not
-- known: no other pair can reach 0.755. The score is the sum of four agreements, 1 at most; what
-- one side does not say counts for a little:
--     place  0.25 same district, 0.10 where one is not known
--     time   0.25 same day of the event, 0.15 a day apart, 0.10 where one is not known
--     theme  0.20 x shared themes / all themes of the two
--     text   0.30 x trigram similarity of the two narratives (pg_trgm)
-- A pair is listed from `link_threshold` on (docs/linking.md has what that finds and misses), or
-- when a person has decided on it, whatever its score is now. One legal number in two channels, with
-- or without Reg, is one case wherever and whenever they put it: its score is 1.
{%- set is_near %}
            a.regency_code = b.regency_code
            and a.regency_code <> '{{ unknown_regency() }}'
            and a.channel <> b.channel
            and b.received_date between a.received_date - {{ var('link_window_days') }}
            and a.received_date + {{ var('link_window_days') }}
{%- endset %}
{%- set is_same_number %}
            a.channel <> b.channel
            and a.register_area_code = b.register_area_code
            and a.register_month_date = b.register_month_date
            and a.register_sequence = b.register_sequence
            and a.record_kind = b.record_kind
            and a.register_election_code = b.register_election_code
            and a.register_level_code = b.register_level_code
{%- endset %}
{#- An increment looks from what changed: two cases that both did meet from either side. #}
{%- set is_met_once = 'true' if is_incremental() else 'a.report_id < b.report_id' %}
{%- set union = 'union' if is_incremental() else 'union all' %}
{#- What makes a pair worth a look, each as equalities, so that the server looks up and never
    compares all with all. No pair is met twice. #}
{%- set is_same_district = 'a.district_code = b.district_code' %}
{%- set meetings = [
    is_same_district ~ ' and a.occurred_date = b.occurred_date',
    is_same_district ~ ' and a.occurred_date + 1 = b.occurred_date',
    is_same_district ~ ' and a.occurred_date - 1 = b.occurred_date',
    is_same_district ~ ' and a.occurred_date is null',
    is_same_district ~ ' and b.occurred_date is null and a.occurred_date is not null',
    'a.occurred_date = b.occurred_date and a.district_code is null',
    'a.occurred_date = b.occurred_date and b.district_code is null and a.district_code is not null',
] %}
{%- if var('link_threshold') | float(1) < 0.755 %}
    {{ exceptions.raise_compiler_error(
        'link_threshold is ' ~ var('link_threshold') ~ ': below 0.755 pairs of different districts or days'
        ~ ' would have to be compared, which int_report_pairs__scored does not; raise it in dbt_project.yml'
    ) }}
{%- endif %}
{%- set pair %}
        a.district_code = b.district_code as is_same_district,
        abs(a.occurred_date - b.occurred_date) as days_apart,
        coalesce({{ is_same_number }}, false) as is_same_number
{%- endset %}
{%- set place_and_time %}
            case when is_same_district then 0.25 when is_same_district is null then 0.10 else 0 end
            + case
                when days_apart = 0 then 0.25
                when days_apart = 1 then 0.15
                when days_apart is null then 0.10
                else 0
            end
{%- endset %}
with decided as (
    select distinct on (report_id_a, report_id_b)
        report_id_a,
        report_id_b,
        decision_code,
        decided_at
    from {{ source('ops', 'link_decision') }}
    where {{ in_scope('report_id_a', 'delivery') }}
        or {{ in_scope('report_id_b', 'delivery') }}
        or {{ in_scope('report_id_a, report_id_b', 'pair') }}
    order by report_id_a asc, report_id_b asc, decision_id desc
),

met as (
    {%- for meeting in meetings %}
    select
        least(a.report_id, b.report_id) as report_id_a,
        greatest(a.report_id, b.report_id) as report_id_b,
        {{ pair }}
    from {{ ref('int_reports__located') }} as a
    inner join {{ ref('int_reports__located') }} as b
        on {{ meeting }} and {{ is_near }} and {{ is_met_once }}
    where {{ in_scope('a.report_id', 'delivery') }} and ({{ is_same_number }}) is not true
    {{ union }}
    {%- endfor %}
    select
        least(a.report_id, b.report_id) as report_id_a,
        greatest(a.report_id, b.report_id) as report_id_b,
        {{ pair }}
    from {{ ref('int_reports__located') }} as a
    inner join {{ ref('int_reports__located') }} as b on {{ is_same_number }} and {{ is_met_once }}
    where {{ in_scope('a.report_id', 'delivery') }}
),

-- Themes and texts are compared only where a pair may still be listed, or a person has decided.
plausible as (
    select
        met.*,
        false as is_decided
    from met
    where
        (
            met.is_same_number
            or {{ place_and_time }}
            + 0.20 + 0.30 >= {{ var('link_threshold') }} - 0.005
        )
        and (met.report_id_a, met.report_id_b) not in (
            select
                decided.report_id_a,
                decided.report_id_b
            from decided
        )
    union all
    select
        decided.report_id_a,
        decided.report_id_b,
        {{ pair }},
        true as is_decided
    from decided
    inner join {{ ref('int_reports__located') }} as a on decided.report_id_a = a.report_id
    inner join {{ ref('int_reports__located') }} as b on decided.report_id_b = b.report_id
    where ({{ is_near }}) or ({{ is_same_number }})
),

themes as (
    select
        report_id,
        array_agg(code) as codes
    from {{ ref('int_report_terms__classified') }}
    where
        vocabulary = 'issue'
        {%- if is_incremental() %}
        and report_id in (
            select report_id_a from plausible
            union
            select report_id_b from plausible
        )
        {%- endif %}
    group by report_id
),

themed as (
    select
        plausible.*,
        (
            select count(*) from (
                select unnest(themes_a.codes) as code
                intersect
                select unnest(themes_b.codes) as code
            ) as shared
        )::double precision / nullif((
            select count(*) from (
                select unnest(themes_a.codes) as code
                union
                select unnest(themes_b.codes) as code
            ) as either
        ), 0) as theme_agreement
    from plausible
    left join themes as themes_a on plausible.report_id_a = themes_a.report_id
    left join themes as themes_b on plausible.report_id_b = themes_b.report_id
    -- So that themes are compared once.
    offset 0 -- noqa: AM09
),

compared as (
    select
        themed.*,
        similarity(lower(a.narrative), lower(b.narrative))::double precision as text_similarity
    from themed
    inner join {{ ref('int_records__typed') }} as a on themed.report_id_a = a.delivery_id
    inner join {{ ref('int_records__typed') }} as b on themed.report_id_b = b.delivery_id
    where
        themed.is_decided
        or themed.is_same_number
        or {{ place_and_time }}
        + 0.20 * coalesce(themed.theme_agreement, 0) + 0.30 >= {{ var('link_threshold') }} - 0.005
),

scored as (
    select
        *,
        case
            when is_same_number then 1.00
            else round((
                {{ place_and_time }}
                + 0.20 * coalesce(theme_agreement, 0)
                + 0.30 * coalesce(text_similarity, 0)
            )::numeric, 2)
        end as score
    from compared
),

pairs as (
    select
        coalesce(scored.report_id_a, decided.report_id_a) as report_id_a,
        coalesce(scored.report_id_b, decided.report_id_b) as report_id_b,
        scored.score,
        scored.is_same_number,
        scored.is_same_district,
        scored.days_apart,
        scored.theme_agreement,
        scored.text_similarity,
        case when decided.decision_code <> 'undone' then decided.decision_code end as decision_code,
        case when decided.decision_code <> 'undone' then decided.decided_at end as decided_at
    from scored
    full outer join decided
        on scored.report_id_a = decided.report_id_a and scored.report_id_b = decided.report_id_b
)

select
    pairs.report_id_a,
    pairs.report_id_b,
    a.regency_code,
    a.channel as channel_a,
    b.channel as channel_b,
    pairs.score,
    array_remove(array[
        case when pairs.is_same_number then 'same_register_number' end,
        case when pairs.is_same_district then 'same_district' end,
        case when pairs.days_apart = 0 then 'same_day' when pairs.days_apart = 1 then 'a_day_apart' end,
        case when pairs.theme_agreement > 0 then 'shared_theme' end,
        case when pairs.text_similarity >= 0.5 then 'similar_text' end
    ], null) as reasons,
    coalesce(pairs.decision_code, 'candidate') as state_code,
    pairs.decided_at
from pairs
inner join {{ ref('int_reports__located') }} as a on pairs.report_id_a = a.report_id
inner join {{ ref('int_reports__located') }} as b on pairs.report_id_b = b.report_id
where pairs.decision_code is not null or pairs.score >= {{ var('link_threshold') }}
