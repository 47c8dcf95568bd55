{# From a channel's field map to SQL with literal paths. `aliases` is a list of the labels of one
   canonical field, the preferred first: {label, scheme, separator}. #}

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

{% macro is_too_long(column, kind) -%}
    {#- Whether a value is longer than one of its kind may be. Bytes, because an index counts them; of a
        list all items together, so that a hundred thousand short ones are too long as well. -#}
    {%- if kind == 'list' -%}
        octet_length(array_to_string({{ column }}, ' ', '-')) > {{ var('max_value_bytes') }}
    {%- elif kind == 'narrative' -%}
        octet_length({{ column }}) > {{ var('max_narrative_bytes') }}
    {%- else -%}
        octet_length({{ column }}) > {{ var('max_value_bytes') }}
    {%- endif -%}
{%- endmacro %}

{% macro bounded(column, kind) -%}
    {#- A value that is short enough to be read; null where it is not. -#}
    case when not {{ is_too_long(column, kind) }} then {{ column }} end
{%- endmacro %}
