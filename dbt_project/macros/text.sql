{# Expressions over a column that only dbt uses; those that Python uses too are functions of the
   database (src/lumbung/migrations/0060_functions.sql). #}

{% macro place_key(text) -%}
    {#- A place name without case, spaces and punctuation: 'Tanjung Pandan' = 'TANJUNGPANDAN'. -#}
    regexp_replace(lower({{ text }}), '[^a-z0-9]', '', 'g')
{%- endmacro %}

{% macro letters(text) -%}
    {#- The letters of a text, sorted: equal for texts that differ only in the order of letters. -#}
    (select string_agg(letter, '' order by letter) from regexp_split_to_table({{ text }}, '') as letter)
{%- endmacro %}

{% macro place_text(text) -%}
    {#- A cell about a place, folded, prepared for splitting into words: 'kec_kelapa' is a form's key;
        'Kab/Kota: Belitung' repeats the question; 'kecamatantoboali' lacks its space;
        'Jl. Raya Koba - Toboali' is one street. -#}
    regexp_replace(
        regexp_replace(
            regexp_replace(
                translate(ops.folded({{ text }}), '_:', '  '),
                '^\s*(kab(upaten)?\s*/\s*kota|bawaslu)\M[\s.]*', ''
            ),
            '\m(kabupaten|kecamatan|kelurahan)(?=[a-z])', '\1 ', 'g'
        ),
        '(\m(?:jalan|jln|jl)\M[^,;()]*?)\s+[-–]\s+', '\1 sampai '
    )
{%- endmacro %}

{% macro names_province(text, province_code) -%}
    {#- Whether a cell about a place names the own province and nothing else: 'Prov. Kep. Babel', 'Provinsi'. -#}
    replace({{ place_key(place_text(text)) }}, 'kepulauan', 'kep') ~ (
        select
            '^(' || string_agg(key, '|') filter (where role = 'type')
            || ')?(' || string_agg(key, '|') filter (where role = 'province') || ')$'
            || '|^(' || string_agg(key, '|') filter (where role = 'type') || ')$'
        from (
            select
                role,
                replace({{ place_key('word') }}, 'kepulauan', 'kep') as key
            from {{ ref('place_word') }}
            where
                (role = 'province' or (role = 'type' and meaning = 'province'))
                and coalesce(province_code, {{ province_code }}) = {{ province_code }}
        ) as words
    )
{%- endmacro %}

{% macro skeleton(text) -%}
    {#- A name without its vowels, except a vowel at its start. -#}
    left({{ text }}, 1) || regexp_replace(substr({{ text }}, 2), '[aeiou]', '', 'g')
{%- endmacro %}

{% macro segment_of(a) -%}
    {#- The columns that identify a segment of a cell in int_place_readings__found. -#}
    {{ a }}.place_id, {{ a }}.column_level, {{ a }}.segment
{%- endmacro %}

{% macro same_segment(a, b) -%}
    {#- Whether two rows of int_place_readings__found belong to the same segment of a cell. -#}
    {{ a }}.place_id = {{ b }}.place_id
    and {{ a }}.column_level = {{ b }}.column_level
    and {{ a }}.segment = {{ b }}.segment
{%- endmacro %}

{% macro blocks(text, skeleton) -%}
    {#- Blocking keys: only texts with equal starts, ends or consonants are compared. -#}
    array['a' || left({{ text }}, 3), 'b' || right({{ text }}, 3), 'c' || {{ skeleton }}]
{%- endmacro %}

{% macro is_blank(text) -%}
    {#- Whether a cell is empty, or holds only dashes or a word for an empty cell. -#}
    (ops.term_key({{ text }}) in ('{{ var("blank_words") | join("', '") }}'))
{%- endmacro %}

{% macro whole_number(text) -%}
    {#- The number that a cell writes: '100', '100.0' of a spreadsheet, '1.250 orang', '± 40 peserta'.
        Null where it writes none, or more than one ('40-50'). -#}
    replace(
        (regexp_match(
            lower({{ text }}),
            '^\s*(?:sekitar|kurang lebih|lebih kurang|±|\+/-)?\s*'
            || '([0-9]{1,3}(?:\.[0-9]{3}){1,2}|[0-9]{1,6})(?:[.,]0{1,2})?'
            || '\s*(?:orang|org|peserta|jiwa|kegiatan|kali)?\s*\.?\s*$'
        ))[1],
        '.',
        ''
    )::integer
{%- endmacro %}

{% macro number_key(text) -%}
    {#- A legal number without white space, in upper case. -#}
    upper(regexp_replace({{ text }}, '\s', '', 'g'))
{%- endmacro %}

{% macro register_number_pattern() -%}
    {#- domain.md 1.6: 005/LP/PB/Kab/09.05/XI/2024, after registration 005/Reg/LP/... A number is matched and
        then split at the slashes, because capturing groups took most of the model's time. [0-9]: in some
        locales \d also matches digits that cannot be cast to integer. -#}
    '^[0-9]{3,4}/(REG/)?(LP|TM)/P[LPGBW]/(RI|PROV|KAB|KOTA|KEC|CAM)'
    || '/[0-9]{2}\.[0-9]{2}(\.[0-9]{2})?/(I{1,3}|IV|VI{0,3}|IX|XI{0,2})/20[0-9]{2}$'
{%- endmacro %}

{% macro is_registered_number(text) -%}
    {#- Whether a text is a legal number with Reg, that of a registered case. -#}
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
    {#- The key of one way of writing a place, for int_places__resolved and the joins to it. It begins with the
        code of the channel's province, because a name means another region in another province. -#}
    province_code || md5(concat_ws(
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
    {#- Whether a text is not yet in a model that has one row per distinct text. -#}
    {%- if is_incremental() -%}
        ({{ columns }}) not in (select {{ key }} from {{ this }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro province_of(code) -%}
    {#- The province's code, with which the code of a regency and the key of a place begin. -#}
    left({{ code }}, 2)
{%- endmacro %}

{% macro channel_province(channels) -%}
    {#- The province of a row of reference.channel. One that no build has seen since provinces were introduced
        has none, and there was only one province. -#}
    coalesce(
        {{ channels }}.province_code,
        (select min({{ province_of('regency_code') }}) from {{ ref('regency') }})
    )
{%- endmacro %}

{% macro unknown_regency(province_code) -%}
    {#- The unknown member of a province in dim_regency: the regency of places that are not resolved. -#}
    ({{ province_code }} || '.00')
{%- endmacro %}

{% macro is_unknown_regency(regency_code) -%}
    {#- Whether a regency is the unknown member of its province. -#}
    ({{ regency_code }} like '%.00')
{%- endmacro %}
