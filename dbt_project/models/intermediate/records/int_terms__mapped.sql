{{ config(
    materialized='incremental',
    incremental_strategy='append',
    indexes=[{'columns': ['vocabulary', 'term_raw'], 'unique': true}]
) }}
-- Every word that any channel uses for an issue, type, role, status ... , mapped once to its code. A
-- word without a code has a null code and is listed for review; it is never guessed. An increment adds
-- the new words.
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
    from {{ mapped_terms(vocabulary) }} as terms
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    terms.vocabulary,
    terms.term_raw,
    maps.code,
    -- the forwarding target, where the word of a status names it
    maps.forwarding_target_code,
    -- 'Nihil' is an empty value everywhere except in activity_kind.
    maps.code is null and {{ is_blank('terms.term_raw') }} as is_blank
from terms
left join maps
    on
        terms.vocabulary = maps.vocabulary
        and ops.term_key(terms.term_raw) = maps.term
