{{ config(
    materialized='incremental',
    incremental_strategy='append',
    indexes=[{'columns': ['vocabulary', 'term_raw'], 'unique': true}]
) }}
-- Every word that any channel uses for an issue, type, role, status ... , mapped once to its code.
-- A word without a code is a row for review (code null), never a guess. An increment adds
-- the words that are new.
{%- set fields = canonical_fields() | selectattr('vocabulary') | list %}
with terms as (
    select distinct
        written.vocabulary,
        written.term_raw
    from {{ ref('stg_intake__records') }} as records
    cross join lateral (
        values
        {%- for field in fields if field.parser != 'list' %}
        ('{{ field.vocabulary }}', records.{{ field.column }}){{ ',' if not loop.last }}
        {%- endfor %}
        {%- for field in fields if field.parser == 'list' %}
        union all
        select
            '{{ field.vocabulary }}',
            unnest(records.{{ field.column }})
        {%- endfor %}
    ) as written (vocabulary, term_raw)
    where
        written.term_raw is not null
        and {{ is_unread('written.vocabulary, written.term_raw', 'vocabulary, term_raw') }}
),

maps as (
    {%- for vocabulary in fields | map(attribute='vocabulary') | unique %}
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
