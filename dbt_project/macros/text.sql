{# Expressions over a column that only dbt needs; those that Python needs too are functions of the
   database (src/lumbung/migrations/0060_functions.sql). #}

{% macro place_key(text) -%}
    {#- A place name without case, spaces and punctuation: 'Tanjung Pandan' = 'TANJUNGPANDAN'. -#}
    regexp_replace(lower({{ text }}), '[^a-z0-9]', '', 'g')
{%- endmacro %}

{% macro letters(text) -%}
    {#- The letters of a text in order: the same where two of them changed places. -#}
    (select string_agg(letter, '' order by letter) from regexp_split_to_table({{ text }}, '') as letter)
{%- endmacro %}

{% macro place_text(text) -%}
    {#- A cell about a place before it is cut: 'kec_kelapa' is a form's key; 'Kab/Kota: Belitung'
        repeats its question; 'kecamatantoboali' has lost its blank; 'Jl. Raya Koba - Toboali' is one
        street. -#}
    regexp_replace(
        regexp_replace(
            regexp_replace(
                translate(lower({{ text }}), '_:', '  '),
                '^\s*(kab(upaten)?\s*/\s*kota|bawaslu)\M[\s.]*', ''
            ),
            '\m(kabupaten|kecamatan|kelurahan)(?=[a-z])', '\1 ', 'g'
        ),
        '(\m(?:jalan|jln|jl)\M[^,;()]*?)\s+[-–]\s+', '\1 sampai '
    )
{%- endmacro %}

{% macro skeleton(text) -%}
    {#- A name without its vowels but for a first one. -#}
    left({{ text }}, 1) || regexp_replace(substr({{ text }}, 2), '[aeiou]', '', 'g')
{%- endmacro %}

{% macro segment_of(a) -%}
    {#- The columns that name a segment of a cell in the steps of int_place_readings__found. -#}
    {{ a }}.place_id, {{ a }}.column_level, {{ a }}.segment
{%- endmacro %}

{% macro same_segment(a, b) -%}
    {#- Whether two rows of int_place_readings__found's steps are of one segment of one cell. -#}
    {{ a }}.place_id = {{ b }}.place_id
    and {{ a }}.column_level = {{ b }}.column_level
    and {{ a }}.segment = {{ b }}.segment
{%- endmacro %}

{% macro blocks(text, skeleton) -%}
    {#- What two texts share that are worth comparing: how they begin, how they end, or all but vowels. -#}
    array['a' || left({{ text }}, 3), 'b' || right({{ text }}, 3), 'c' || {{ skeleton }}]
{%- endmacro %}

{% macro is_blank(text) -%}
    {#- Whether a cell says nothing: empty, dashes, or one of the words for that. -#}
    (ops.term_key({{ text }}) in ('{{ var("blank_words") | join("', '") }}'))
{%- endmacro %}

{% macro number_key(text) -%}
    {#- A legal number without white space, in upper case. -#}
    upper(regexp_replace({{ text }}, '\s', '', 'g'))
{%- endmacro %}

{% macro register_number_pattern() -%}
    {#- domain.md 1.6: 005/LP/PB/Kab/09.05/XI/2024, after registration 005/Reg/LP/... A key is matched and
        then cut at the slashes: to let the pattern give its parts took most of a model's time.
        [0-9]: in some locales other digits are \d, which are no integers. -#}
    '^[0-9]{3,4}/(REG/)?(LP|TM)/P[LPGBW]/(RI|PROV|KAB|KOTA|KEC|CAM)'
    || '/[0-9]{2}\.[0-9]{2}(\.[0-9]{2})?/(I{1,3}|IV|VI{0,3}|IX|XI{0,2})/20[0-9]{2}$'
{%- endmacro %}

{% macro is_registered_number(text) -%}
    {#- Whether a text is a legal number with Reg: its case has been registered. -#}
    coalesce(
        {{ text }} ~* 'reg'
        and {{ number_key(text) }} like '%/REG/%'
        and {{ number_key(text) }} ~ ({{ register_number_pattern() }}),
        false
    )
{%- endmacro %}

{% macro jakarta_date(instant) -%}
    ({{ instant }} at time zone 'Asia/Jakarta')::date
{%- endmacro %}

{% macro week_id(date) -%}
    to_char({{ date }}, 'IYYY"-W"IW')
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
