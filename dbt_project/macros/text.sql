{# Expressions that stay set-based: each is one SQL expression over a column, no function of ours. #}

{% macro term_key(text) -%}
    {#- A word of a vocabulary as the seeds map_* spell it: lower case, single spaces, no spaces
        around a slash, no punctuation at the ends. -#}
    btrim(
        regexp_replace(regexp_replace(lower({{ text }}), '[\s_]+', ' ', 'g'), ' ?/ ?', '/', 'g'),
        ' .,;:-'
    )
{%- endmacro %}

{% macro names_nobody(text) -%}
    {#- Whether a word that no vocabulary knows may be shown: short, no number, no title of a person. -#}
    (length({{ text }}) <= 40 and {{ text }} !~ '@|\d{5}|( .*){3}|\m(pak|bu|bapak|ibu|sdri?|saudari?|hj?|dr)\M')
{%- endmacro %}

{% macro place_key(text) -%}
    {#- A place name without case, spaces and punctuation: 'Tanjung Pandan' = 'TANJUNGPANDAN'. -#}
    regexp_replace(lower({{ text }}), '[^a-z0-9]', '', 'g')
{%- endmacro %}

{% macro is_blank(text) -%}
    {#- Whether a cell says nothing: empty, dashes, or one of the words for that. -#}
    ({{ term_key(text) }} in ('{{ var("blank_words") | join("', '") }}'))
{%- endmacro %}

{% macro jakarta_date(instant) -%}
    ({{ instant }} at time zone 'Asia/Jakarta')::date
{%- endmacro %}

{% macro week_id(date) -%}
    to_char({{ date }}, 'IYYY"-W"IW')
{%- endmacro %}

{% macro to_date(year, month, day) -%}
    {#- A date from text parts, or null where the calendar has no such day (31/02). -#}
    case
        when pg_input_is_valid({{ year }} || '-' || {{ month }} || '-' || {{ day }}, 'date')
            then ({{ year }} || '-' || {{ month }} || '-' || {{ day }})::date
    end
{%- endmacro %}

{% macro place_id() -%}
    {#- The key of one way of writing a place: the same in int_places__resolved and where it is joined. -#}
    md5(concat_ws(
        E'\x1f',
        coalesce(regency_raw, ''),
        coalesce(district_raw, ''),
        coalesce(village_raw, ''),
        coalesce(regency_code_raw, ''),
        coalesce(regency_code_scheme, ''),
        coalesce(district_code_raw, ''),
        coalesce(district_code_scheme, ''),
        coalesce(village_code_raw, ''),
        coalesce(village_code_scheme, '')
    ))
{%- endmacro %}

{% macro is_unread(columns, key) -%}
    {#- Whether a text is not yet in a model that reads every distinct one once. -#}
    {%- if is_incremental() -%}
        ({{ columns }}) not in (select {{ key }} from {{ this }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro unknown_regency() -%}
    {#- The member of dim_regency for a place that is not resolved. -#}
    {{ var('province_code') }}.00
{%- endmacro %}
