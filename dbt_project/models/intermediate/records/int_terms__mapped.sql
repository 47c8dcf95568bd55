{{ config(
    materialized='incremental',
    incremental_strategy='append',
    indexes=[{'columns': ['vocabulary', 'term_raw'], 'unique': true}]
) }}
-- Every word that any channel uses for an issue, type, role, status ... , mapped once to its code.
-- A word without a code is a row for review (code null), never a guess. An increment adds
-- the words that are new.
{%- set scalars = {
    'record_kind': ['record_kind_raw', 'activity_kind_raw'],
    'role': ['accused_role_raw'],
    'status': ['status_raw'],
    'non_registration_reason': ['status_reason_raw'],
    'forwarding_target': ['forwarded_to_raw'],
    'follow_up': ['follow_up_raw'],
    'campaign_context': ['during_campaign_event_raw'],
    'election': ['election_raw'],
    'method': ['method_raw'],
    'prevention_type': ['prevention_type_raw'],
} %}
{%- set lists = {'issue': 'issue_list', 'violation_type': 'violation_type_list'} %}
with terms as (
    select distinct
        written.vocabulary,
        written.term_raw
    from {{ ref('stg_intake__records') }} as records
    cross join lateral (
        values
        {%- for vocabulary, columns in scalars.items() %}
            {%- set outer_last = loop.last %}
            {%- for column in columns %}
        ('{{ vocabulary }}', records.{{ column }}){{ ',' if not (outer_last and loop.last) }}
            {%- endfor %}
        {%- endfor %}
        {%- for vocabulary, column in lists.items() %}
        union all
        select
            '{{ vocabulary }}',
            unnest(records.{{ column }})
        {%- endfor %}
    ) as written (vocabulary, term_raw)
    where
        written.term_raw is not null
        and {{ is_unread('written.vocabulary, written.term_raw', 'vocabulary, term_raw') }}
),

maps as (
    {%- for vocabulary in scalars.keys() | list + lists.keys() | list %}
    select
        '{{ vocabulary }}' as vocabulary,
        term,
        code,
        {{ 'forwarding_target_code' if vocabulary == 'status' else 'null::text' }} as forwarding_target_code
    from {{ ref('map_' ~ vocabulary) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    terms.vocabulary,
    terms.term_raw,
    maps.code,
    -- to whom a case was forwarded, where the word of a status says so
    maps.forwarding_target_code,
    -- 'Nihil' says nothing everywhere but among the kinds of activity.
    maps.code is null and {{ is_blank('terms.term_raw') }} as is_blank
from terms
left join maps
    on
        terms.vocabulary = maps.vocabulary
        and ops.term_key(terms.term_raw) = maps.term
