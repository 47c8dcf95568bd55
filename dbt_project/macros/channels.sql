{# From a channel's field map to SQL with literal paths. `aliases` is a list of the labels of one
   canonical field, the preferred first: {label, scheme, separator}. #}

{% macro empty_fields(given) -%}
    {#- For unit tests: the columns of staging but for those `given`, all null. -#}
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
    {#- The first alias of a field that has something in it. -#}
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
    {#- The code system that belongs to the alias which mapped_text() took. -#}
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
    {#- The terms of a list: the elements of a JSON array, or a text split as the channel says;
        without a separator it is one term. -#}
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

{% macro test_score(fields) -%}
    {#- How much the cells of a row look like a test of the system (seeds test_text, canonical_field). Few
        rows hold a test word at all: one pattern over their short cells finds them. Of a register
        number the part before its first slash counts. A cell with words that are not in the seed sinks
        by the square of its known share, and such cells only list a row: they exclude none. -#}
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
    {#- Whether a value of staging is longer than one may be. Bytes, because an index counts them; of a list
        all items together, so that a hundred thousand short ones are too long as well. -#}
    {%- if column.endswith('_list') -%}
        octet_length(array_to_string({{ column }}, ' ', '-')) > {{ var('max_value_bytes') }}
    {%- elif column == 'narrative_raw' -%}
        octet_length({{ column }}) > {{ var('max_narrative_bytes') }}
    {%- else -%}
        octet_length({{ column }}) > {{ var('max_value_bytes') }}
    {%- endif -%}
{%- endmacro %}

{% macro bounded(column) -%}
    {#- A value that is short enough to be read; null where it is not. -#}
    case when not {{ is_too_long(column) }} then {{ column }} end
{%- endmacro %}
