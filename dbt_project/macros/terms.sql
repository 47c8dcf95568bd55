{% macro join_terms(records, record_kind) -%}
    {#- The joins that give each record the codes of its fields that are lists: `written.vocabulary` and
        `terms.code`, which is null for a term that no seed has.

        records: alias of a relation that has the list columns of int_records__typed.
        record_kind: the kind whose list fields are read, such as 'LP'. -#}
    cross join lateral (
        {%- for field in canonical_fields() if field.parser == 'list' and record_kind in field.record_kinds %}
        select
            '{{ field.vocabulary }}' as vocabulary,
            unnest({{ records }}.{{ field.column }}) as term_raw
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as written
    inner join {{ ref('int_terms__mapped') }} as terms
        on written.vocabulary = terms.vocabulary and written.term_raw = terms.term_raw
{%- endmacro %}
