{{ config(
    indexes=[{'columns': ['place_id']}],
    post_hook='analyze {{ this }}'
) }}
-- The words of every way of writing a place, split at separators: one row per word, with abbreviations
-- expanded and its role in the seed place_word. In an increment only those of changed deliveries.
{%- set separators %}[,;/()|>&\[\]]+|\s+(?:dan|atau|serta)\s+|\s+[-–]\s+|-(?=\s*(?:kab|kec|kel|desa|ds|kota)\M){% endset %}
with places as (
    select distinct
        {{ place_id() }} as place_id,
        regency_raw,
        district_raw,
        village_raw
    from {{ ref('stg_intake__records') }}
),

-- 'Kurau (Timur)' is one name.
cells as materialized (
    select
        places.place_id,
        written.level as column_level,
        cleaned.text,
        {{ place_key('cleaned.text') }} as cell_key,
        ({{ province_of('places.place_id') }}, {{ place_key('cleaned.text') }}) in (
            select
                names.province_code,
                names.name_key
            from {{ ref('int_place_names__listed') }} as names
            where names.is_here
        ) as is_name
    from places
    cross join lateral (
        values
        ('regency', places.regency_raw),
        ('district', places.district_raw),
        ('village', places.village_raw)
    ) as written (level, text)
    cross join lateral (
        select {{ place_text('written.text') }} as text
    ) as cleaned
    where not {{ is_blank('written.text') }}
)

select
    split.place_id,
    split.column_level,
    split.segment,
    split.position,
    coalesce(short.meaning, split.word) as word,
    types.meaning as type,
    plain.word is not null or split.word ~ '^([0-9]+|[a-z])$' as is_plain
from (
    select
        cells.place_id,
        cells.column_level,
        segments.number as segment,
        row_number() over (
            partition by cells.place_id, cells.column_level, segments.number order by token.number
        ) as position,
        token.word
    from cells
    cross join lateral unnest(
        case
            when cells.is_name then array[cells.cell_key]
            else regexp_split_to_array(cells.text, '{{ separators }}')
        end
    ) with ordinality as segments (text, number)
    cross join lateral unnest(
        regexp_split_to_array(segments.text, '[^a-z0-9]+')
    ) with ordinality as token (word, number)
    where token.word <> ''
) as split
left join {{ ref('place_word') }} as short on split.word = short.word and short.role = 'short'
left join {{ ref('place_word') }} as types on split.word = types.word and types.role = 'type'
left join {{ ref('place_word') }} as plain on split.word = plain.word and plain.role = 'plain'
