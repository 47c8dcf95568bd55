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
