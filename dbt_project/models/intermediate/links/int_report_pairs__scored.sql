{{ config(
    materialized='incremental',
    unique_key=['report_id_a', 'report_id_b'],
    indexes=[
        {'columns': ['report_id_a', 'report_id_b'], 'unique': true},
        {'columns': ['report_id_b']},
    ],
    meta={'affected_keys': 'pair'}
) }}
-- Pairs of cases that may describe the same event, with their weight and the decisions of people. Cases are
-- never merged: a link is a row here, and both cases stay unchanged.
--
-- Two cases are candidates if they are in one regency, were received at most `link_window_days` apart,
-- share a theme (or one has none), do not name different villages in their fields, and have the same
-- district and event days at most one apart (or unknown), or the same event day where a district is
-- unknown. Neither may come after the first `link_block_size` cases of its block
-- (int_report_blocks__overflowed).
--
-- The comparison of each field gives a level; the seed link_weight has the weight of each level in
-- bits. The weights come from a penalised logistic regression over all fields at once
-- (benchmarks/link_weights.py), not from the log ratio of each field alone, because the fields are
-- correlated. Texts are compared by the features derived at landing (lumbung.intake.features), never by
-- their words. A feature holds its rarity, by which it counts, so that a third case changes no pair.
-- Sums are of integers, so they do not depend on the order.
--
-- A pair is listed from `link_listed_weight` on, or when a person has decided on it, whatever its
-- weight. The same legal number, with or without Reg, is one case, whatever its place and day. Neither may
-- come after the first cases of its number in its channel.
{%- set is_near %}
            a.regency_code = b.regency_code
            and not {{ is_unknown_regency('a.regency_code') }}
            and b.received_date between a.received_date - {{ var('link_window_days') }}
            and a.received_date + {{ var('link_window_days') }}
            and (a.village_code = b.village_code) is not false
{%- endset %}
{%- set is_same_number %}
            {{ province_of('a.regency_code') }} = {{ province_of('b.regency_code') }}
            and a.register_area_code = b.register_area_code
            and a.register_month_date = b.register_month_date
            and a.register_sequence = b.register_sequence
            and a.record_kind = b.record_kind
            and a.register_election_code = b.register_election_code
            and a.register_level_code = b.register_level_code
{%- endset %}
{#- An increment starts from changed cases: two changed cases meet from both sides. #}
{%- set starting = 'changed' if is_incremental() else ref('int_reports__located') %}
{%- set is_another = 'a.report_id <> b.report_id' if is_incremental() else 'a.report_id < b.report_id' %}
{#- The conditions of a candidate, each as equalities, so that PostgreSQL uses indexes or hashes instead of
    comparing all pairs. The conditions exclude each other: no pair satisfies two. #}
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
{#- Neither case comes after the first ones of its block: of a block of alike cases, or of one number. #}
{%- set are_first = {} %}
{%- for block, is_of_number in {'alike': 'false', 'number': 'true'}.items() %}
{%- set are_among_first %}
            not exists (
                select 1
                from {{ ref('int_report_blocks__overflowed') }} as overflowed
                where
                    overflowed.report_id = a.report_id
                    and starts_with(overflowed.block_id, '#') = {{ is_of_number }}
            )
            and not exists (
                select 1
                from {{ ref('int_report_blocks__overflowed') }} as overflowed
                where
                    overflowed.report_id = b.report_id
                    and starts_with(overflowed.block_id, '#') = {{ is_of_number }}
            )
{%- endset %}
{%- do are_first.update({block: are_among_first}) %}
{%- endfor %}
{%- set pair %}
        a.district_code = b.district_code as is_same_district,
        abs(a.occurred_date - b.occurred_date) as days_apart,
        coalesce({{ is_same_number }}, false) as is_same_number
{%- endset %}
{#- Kind of a feature -> its code in the lowest bits of a token (lumbung.intake.features.KINDS). #}
{%- set kinds = {'name': 0, 'actor': 1, 'action': 2, 'object': 3, 'venue': 4, 'number': 8} %}
{%- set shared_levels = ['rare', 'shared', 'other', 'unsaid'] %}
{%- set fields = {
    'register_number': ['same', 'unsaid'],
    'district': ['same', 'unsaid'],
    'village': ['same', 'other', 'unsaid'],
    'day': ['same', 'next', 'unsaid', 'other'],
    'theme': ['same', 'shared', 'unsaid', 'other'],
    'text': ['alike', 'close', 'near', 'far', 'unsaid'],
} %}
{%- for kind in kinds %}{% do fields.update({kind: shared_levels}) %}{% endfor %}
with decided as (
    select distinct on (report_id_a, report_id_b)
        report_id_a,
        report_id_b,
        decision_code,
        decided_at
    from {{ source('ops', 'link_decision') }}
    where {{ is_affected('report_id_a', 'affected_report') }}
        or {{ is_affected('report_id_b', 'affected_report') }}
        or {{ is_affected('report_id_a, report_id_b', 'pair') }}
    order by report_id_a asc, report_id_b asc, decision_id desc
),

{% if is_incremental() -%}
-- Every pair starts from these. The planner would look for them last: it underestimates how many pairs the
-- other conditions leave.
changed as materialized (
    select *
    from {{ ref('int_reports__located') }}
    where {{ is_affected('report_id', 'affected_report') }}
),

{% endif -%}
met as (
    select
        least(report_id, other_id) as report_id_a,
        greatest(report_id, other_id) as report_id_b,
        is_same_district,
        days_apart,
        is_same_number
    from (
        {%- for meeting in meetings %}
        select
            a.report_id,
            b.report_id as other_id,
            {{ pair }}
        from {{ starting }} as a
        inner join {{ ref('int_reports__located') }} as b
            on {{ meeting }} and {{ is_near }} and {{ is_another }}
        where ({{ is_same_number }}) is not true and {{ are_first['alike'] }}
        union all
        {%- endfor %}
        select
            a.report_id,
            b.report_id as other_id,
            {{ pair }}
        from {{ starting }} as a
        inner join {{ ref('int_reports__located') }} as b on {{ is_same_number }} and {{ is_another }}
        where {{ are_first['number'] }}
    ) as met_from_each_side
    {%- if is_incremental() %}
    where
        report_id < other_id
        or other_id not in (select changed.report_id from changed)
    {%- endif %}
),

plausible as (
    select
        met.*,
        false as is_decided
    from met
    where
        (met.report_id_a, met.report_id_b) not in (
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
        decided.decision_code <> 'undone' as is_decided
    from decided
    inner join {{ ref('int_reports__located') }} as a on decided.report_id_a = a.report_id
    inner join {{ ref('int_reports__located') }} as b on decided.report_id_b = b.report_id
    where
        (
            {{ is_same_number }}
            and (decided.decision_code <> 'undone' or ({{ are_first['number'] }}))
        )
        or (
            ({{ is_same_number }}) is not true
            and {{ is_near }}
            -- A pair whose decision was undone is a candidate again.
            and (
                decided.decision_code <> 'undone'
                or ((({{ meetings | join(') or (') }})) and {{ are_first['alike'] }})
            )
        )
),

{%- set in_pairs %}
    {%- if is_incremental() %}
    and report_id in (select paired.report_id from paired)
    {%- endif %}
{%- endset %}

{% if is_incremental() -%}
paired as (
    select report_id_a as report_id from plausible
    union
    select report_id_b as report_id from plausible
),

{% endif -%}
themes as (
    select
        report_id,
        array_agg(code order by code) as codes
    from {{ ref('int_report_terms__classified') }}
    where vocabulary = 'issue' {{- in_pairs }}
    group by report_id
),

themed as (
    select
        plausible.*,
        case
            when themes_a.codes = themes_b.codes then 'same'
            when themes_a.codes && themes_b.codes then 'shared'
            when themes_a.codes is null or themes_b.codes is null then 'unsaid'
            else 'other'
        end as theme_level
    from plausible
    left join themes as themes_a on plausible.report_id_a = themes_a.report_id
    left join themes as themes_b on plausible.report_id_b = themes_b.report_id
    where
        plausible.is_decided
        or plausible.is_same_number
        or themes_a.codes && themes_b.codes
        or themes_a.codes is null
        or themes_b.codes is null
),

-- The content of a case's texts: villages of its own district, and features with the sum of their rarities
-- and a bit for each of their kinds.
described as (
    select
        reports.report_id,
        case
            when reports.village_code is not null then array[reports.village_code]
            else array(
                select named.code
                from unnest(features.villages) as named (code)
                where starts_with(named.code, coalesce(reports.district_code, reports.regency_code) || '.')
            )
        end as villages,
        features.tokens,
        totals.rarity,
        totals.kinds
    from {{ ref('int_reports__located') }} as reports
    left join {{ source('ops', 'text_feature') }} as versions on reports.channel = versions.channel
    left join {{ source('raw', 'text_feature') }} as features
        on reports.record_id = features.record_id and versions.version = features.version
    cross join lateral (
        select
            sum(tokens.token >> 4 & 255) as rarity,
            bit_or(1 << (tokens.token & 15)::integer) as kinds
        from unnest(features.tokens) as tokens (token)
    ) as totals
    where true {{- in_pairs }}
),

compared as (
    select
        themed.*,
        a.villages as villages_a,
        b.villages as villages_b,
        a.rarity * b.rarity as either_rarity,
        a.kinds & b.kinds as common_kinds,
        shared.*
    from themed
    inner join described as a on themed.report_id_a = a.report_id
    inner join described as b on themed.report_id_b = b.report_id
    cross join lateral (
        select
            coalesce(sum(tokens.token >> 4 & 255), 0) as shared_rarity
            {%- for kind, code in kinds.items() %},
            max(tokens.token >> 4 & 255) filter (where tokens.token & 15 = {{ code }}) as {{ kind }}_rarity
            {%- endfor %}
        from unnest(a.tokens) as tokens (token)
        where tokens.token = any(b.tokens)
    ) as shared
),

levelled as (
    select
        *,
        case when is_same_number then 'same' else 'unsaid' end as register_number_level,
        case when is_same_district then 'same' else 'unsaid' end as district_level,
        case
            when villages_a && villages_b then 'same'
            when villages_a <> '{}' and villages_b <> '{}' then 'other'
            else 'unsaid'
        end as village_level,
        case
            when days_apart = 0 then 'same'
            when days_apart = 1 then 'next'
            when days_apart is null then 'unsaid'
            else 'other'
        end as day_level,
        -- Thresholds 0.5, 0.3 and 0.2 of the cosine, squared to avoid a root.
        case
            when either_rarity is null then 'unsaid'
            when shared_rarity * shared_rarity * 4 >= either_rarity then 'alike'
            when shared_rarity * shared_rarity * 100 >= either_rarity * 9 then 'close'
            when shared_rarity * shared_rarity * 25 >= either_rarity then 'near'
            else 'far'
        end as text_level
        {%- for kind, code in kinds.items() %},
        case
            when {{ kind }}_rarity >= {{ var('link_rare_from') }} then 'rare'
            when {{ kind }}_rarity is not null then 'shared'
            when common_kinds & {{ 2 ** code }} <> 0 then 'other'
            else 'unsaid'
        end as {{ kind }}_level
        {%- endfor %}
    from compared
),

-- The seed link_weight as one row, in tenths of a bit, so that sums are exact.
weights as (
    select
        coalesce(max(tenths) filter (where field = 'prior'), 0) as prior
        {%- for field, levels in fields.items() -%}
        {%- for level in levels %},
        coalesce(max(tenths) filter (where field = '{{ field }}' and level = '{{ level }}'), 0)
            as {{ field }}_{{ level }}
        {%- endfor -%}
        {%- endfor %}
    from (
        select
            field,
            level,
            (weight * 10)::integer as tenths
        from {{ ref('link_weight') }}
    ) as listed
),

weighed as (
    select
        levelled.*
        {%- for field, levels in fields.items() %},
        case levelled.{{ field }}_level
            {%- for level in levels %}
            when '{{ level }}' then weights.{{ field }}_{{ level }}
            {%- endfor %}
        end as {{ field }}_tenths
        {%- endfor %},
        weights.prior
    from levelled
    cross join weights
),

summed as (
    select
        *,
        prior
        + {{ fields | join('_tenths\n        + ') }}_tenths as tenths -- noqa: LT01,LT05
    from weighed
    -- prevents inlining, so that the sum is computed once per row
    offset 0 -- noqa: AM09
),

pairs as (
    select
        coalesce(summed.report_id_a, decided.report_id_a) as report_id_a,
        coalesce(summed.report_id_b, decided.report_id_b) as report_id_b,
        summed.tenths,
        array_remove(array[
            {%- for field in fields %}
            case
                when summed.{{ field }}_tenths <> 0
                    then '{{ field }}: ' || summed.{{ field }}_level
                        || to_char(summed.{{ field }}_tenths / 10.0, ' SFM90.0')
            end {{- ',' if not loop.last }}
            {%- endfor %}
        ], null) as evidence,
        case when decided.decision_code <> 'undone' then decided.decision_code end as decision_code,
        case when decided.decision_code <> 'undone' then decided.decided_at end as decided_at
    from summed
    full outer join decided
        on summed.report_id_a = decided.report_id_a and summed.report_id_b = decided.report_id_b
    where
        decided.report_id_a is not null
        or summed.tenths >= {{ var('link_listed_weight') }} * 10
)

select
    pairs.report_id_a,
    pairs.report_id_b,
    -- Whoever sees one regency alone cannot compare cases of two.
    case
        when a.regency_code = b.regency_code then a.regency_code
        else {{ unknown_regency(province_of('a.regency_code')) }}
    end as regency_code,
    a.channel as channel_a,
    b.channel as channel_b,
    round(pairs.tenths / 10.0, 1) as weight,
    round((1 / (1 + power(2.0, -pairs.tenths / 10.0)))::numeric, 2) as score,
    case
        when pairs.tenths >= {{ var('link_certain_weight') }} * 10
            then 'almost_certain'
        when pairs.tenths >= {{ var('link_listed_weight') }} * 10 then 'possible'
    end as class_code,
    pairs.evidence,
    coalesce(pairs.decision_code, 'candidate') as state_code,
    pairs.decided_at
from pairs
inner join {{ ref('int_reports__located') }} as a on pairs.report_id_a = a.report_id
inner join {{ ref('int_reports__located') }} as b on pairs.report_id_b = b.report_id
where
    pairs.decision_code is not null
    or pairs.tenths >= {{ var('link_listed_weight') }} * 10
