{# SQL expressions for the fields of a channel, with the labels of its field map as literals. `aliases` is
   the list of labels of one canonical field, the preferred one first: {label, scheme, separator}. #}

{% macro empty_fields(given) -%}
    {#- For unit tests: all columns of staging except those in `given`, as nulls. -#}
    {%- for field in canonical_fields() if field.column not in given -%}
        null::{{ 'text[]' if field.parser == 'list' else 'text' }} as {{ field.column }},
        {%- if field.parser == 'code' and field.name ~ '_scheme' not in given %}
        null::text as {{ field.name }}_scheme,
        {%- endif %}
    {% endfor -%}
{%- endmacro %}

{% macro sql_text(value) -%}
    {%- if value is none -%}null{%- else -%}'{{ value | replace("'", "''") }}'{%- endif -%}
{%- endmacro %}

{% macro mapped_text(aliases) -%}
    {#- The first alias of a field that is not empty. -#}
    {%- if not aliases -%}
        null::text
    {%- else -%}
        coalesce(
            {%- for alias in aliases -%}
                nullif(btrim(payload ->> {{ sql_text(alias.label) }}), '')
                {%- if not loop.last %}, {% endif -%}
            {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}

{% macro mapped_scheme(aliases) -%}
    {#- The code system of the alias that mapped_text() takes. -#}
    {%- if not aliases -%}
        null::text
    {%- else -%}
        case
            {%- for alias in aliases %}
                when nullif(btrim(payload ->> {{ sql_text(alias.label) }}), '') is not null
                    then {{ sql_text(alias.scheme) }}
            {%- endfor %}
        end::text
    {%- endif -%}
{%- endmacro %}

{% macro mapped_list(aliases) -%}
    {#- The terms of a list: the elements of a JSON array, or a text split at the channel's separator; a
        text without a separator is one term. -#}
    {%- if not aliases -%}
        null::text[]
    {%- else -%}
        coalesce(
            {%- for alias in aliases -%}
                case jsonb_typeof(payload -> {{ sql_text(alias.label) }})
                    when 'array' then nullif(
                        array(select jsonb_array_elements_text(payload -> {{ sql_text(alias.label) }})),
                        '{}'
                    )
                    else string_to_array(
                        nullif(btrim(payload ->> {{ sql_text(alias.label) }}), ''),
                        {{ sql_text(alias.separator or '\x1f') }}
                    )
                end
                {%- if not loop.last %}, {% endif -%}
            {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}

{% macro mapped_terms(vocabulary) -%}
    {#- The terms of the seed map_<vocabulary>, each also by the pseudonym under which it was landed before the
        seed had it, and the terms that a steward has mapped and the seed has not. A pseudonym that has a row
        of its own is mapped by that one. -#}
    {%- set target = ', maps.forwarding_target_code' if vocabulary == 'status' else '' -%}
    (
        select maps.term, maps.code{{ target }}
        from {{ ref('map_' ~ vocabulary) }} as maps
        union all
        select pseudonyms.pseudonym as term, maps.code{{ target }}
        from {{ ref('map_' ~ vocabulary) }} as maps
        inner join {{ source('reference', 'term_pseudonym') }} as pseudonyms on maps.term = pseudonyms.term
        where pseudonyms.pseudonym not in (select named.term from {{ ref('map_' ~ vocabulary) }} as named)
        union all
        select decided.term, decided.code{{ ', null::text as forwarding_target_code' if vocabulary == 'status' }}
        from {{ source('ops', 'mapping') }} as decided
        where
            decided.vocabulary = '{{ vocabulary }}'
            and decided.term not in (select named.term from {{ ref('map_' ~ vocabulary) }} as named)
            and decided.term not in (
                select pseudonyms.pseudonym
                from {{ source('reference', 'term_pseudonym') }} as pseudonyms
                inner join {{ ref('map_' ~ vocabulary) }} as named on pseudonyms.term = named.term
            )
    )
{%- endmacro %}

{% macro test_score(fields) -%}
    {#- Score of the evidence that a row is a test of the system (seeds test_text, canonical_field). Few rows
        hold a test word; one pattern over their short cells finds these rows. Of a register number only the
        part before the first slash is read. The weight of a cell with words that are not in the seed is
        multiplied by the square of its known share; such cells can list a row, but not exclude it. -#}
    {%- set cells = {} -%}
    {%- for field in fields if field.parser != 'code' -%}
        {%- set text = "array_to_string(" ~ field.column ~ ", ' ')" if field.parser == 'list' else field.column -%}
        {%- do cells.update({field.name: "case when length(" ~ text ~ ") <= " ~ var('longest_test_text')
            ~ " then " ~ ("split_part(" ~ text ~ ", '/', 1)" if field.name == 'register_number' else text)
            ~ " end"}) -%}
    {%- endfor -%}
    case
        when
            concat_ws(' ', {{ cells.values() | join(', ') }}) ~* (
                select '\m(' || string_agg(words.word, '|') || ')(?![[:alpha:]])'
                from {{ ref('test_text') }} as words
                where words.weight > 0
            )
            then (
                select greatest(
                    coalesce(sum(evidence.certain), 0),
                    least(coalesce(sum(evidence.likely), 0), {{ var('test_row_from') }} - 1)
                )
                from (
                    select
                        max(fields.test_weight * cell.weight) filter (where cell.known_share = 1) as certain,
                        max(round(fields.test_weight * cell.weight * cell.known_share ^ 2)) as likely
                    from (
                        values
                        {%- for field, text in cells.items() %}
                        ('{{ field }}', {{ text }}){{ ',' if not loop.last }}
                        {%- endfor %}
                    ) as given (field, text)
                    inner join {{ ref('canonical_field') }} as fields on given.field = fields.field
                    cross join lateral (
                        select
                            max(words.weight) as weight,
                            avg((words.word is not null or token.parts[1] ~ '[0-9]')::integer) as known_share
                        from
                            regexp_matches(lower(given.text), '[[:alpha:]]+|[[:digit:]]+', 'g')
                                as token (parts)
                        left join {{ ref('test_text') }} as words on token.parts[1] = words.word
                    ) as cell
                    where cell.known_share > 0.5
                    group by fields.test_evidence
                ) as evidence
            )
        else 0
    end::integer
{%- endmacro %}

{% macro is_too_long(column) -%}
    {#- Whether a value of staging exceeds its maximum length. In bytes, as index rows are limited in bytes;
        of a list the sum of all items, so that a very long list of short items is too long as well. -#}
    {%- if column.endswith('_list') -%}
        octet_length(array_to_string({{ column }}, ' ', '-')) > {{ var('max_value_bytes') }}
    {%- elif column == 'narrative_raw' -%}
        octet_length({{ column }}) > {{ var('max_narrative_bytes') }}
    {%- else -%}
        octet_length({{ column }}) > {{ var('max_value_bytes') }}
    {%- endif -%}
{%- endmacro %}

{% macro bounded(column) -%}
    {#- A value, or null where it is too long. -#}
    case when not {{ is_too_long(column) }} then {{ column }} end
{%- endmacro %}
