{{ config(
    materialized='incremental',
    incremental_strategy='append',
    indexes=[{'columns': ['place_id'], 'unique': true}]
) }}
-- Every way in which a channel wrote a place, resolved once to regency, district and village.
--
-- The cells are cut into parts ('Kec. Rangkui, Pangkal Pinang' has two), and every part is read in
-- all ways it can mean: as a regency, a district or a village, as a code of its scheme or of both.
-- What all parts agree on is the place. Each part is first read at its column's own level, and
-- only where that leads nowhere in every way ('Dendang' under Bangka Barat is the village there,
-- not the district of Belitung Timur). Nothing is guessed: where the parts contradict each other,
-- where more than one regency remains (a bare 1903 is Bangka Barat to BPS and Bangka Selatan to
-- Kemendagri), or where the regency's own cell says something unknown, the place stays unresolved:
-- regency 19.00, for review. docs/places.md has what that finds and misses. An increment adds the ways
-- of writing that are new.
{%- set type_words = {
    'regency': 'kabupaten|kab',
    'city': 'kotamadya|kodya|kota|ko',
    'district': 'kecamatan|kec|panwascam',
    'village': 'kelurahan|kel|desa|ds',
    'province': 'provinsi|propinsi|prov|prop',
} %}
{#- '19.05.01 Mentok' -#}
{%- set leading_code = '^\\s*(\\d\\d[\\d.]{2,})(?:\\s|$)' %}
{%- set any_type = type_words.values() | join('|') %}
with places as (
    select distinct
        {{ place_id() }} as place_id,
        regency_raw,
        district_raw,
        village_raw,
        regency_code_raw,
        regency_code_scheme,
        district_code_raw,
        district_code_scheme,
        village_code_raw,
        village_code_scheme
    from {{ ref('stg_intake__records') }}
    where {{ is_unread(place_id(), 'place_id') }}
),

names as (
    select
        'regency' as level,
        {{ place_key("regexp_replace(regency_name, '^(Kabupaten|Kota) ', '')") }} as name_key,
        regency_code,
        null as district_code,
        null as village_code
    from {{ ref('regency') }}
    where not is_unknown
    union
    select
        'district' as level,
        {{ place_key('district_name') }} as name_key,
        regency_code,
        district_code,
        null as village_code
    from {{ ref('district') }}
    union
    select
        aliases.level,
        {{ place_key('aliases.alias') }} as name_key,
        coalesce(districts.regency_code, aliases.region_code) as regency_code,
        districts.district_code,
        null as village_code
    from {{ ref('region_alias') }} as aliases
    left join {{ ref('district') }} as districts on aliases.region_code = districts.district_code
    union
    select
        'village' as level,
        {{ place_key('villages.village_name') }} as name_key,
        districts.regency_code,
        villages.district_code,
        villages.village_code
    from {{ ref('village') }} as villages
    inner join {{ ref('district') }} as districts on villages.district_code = districts.district_code
),

-- 'kec_kelapa' is a form's key; 'Kab/Kota: Belitung' repeats its question; a new part begins at a
-- separator and at a word of type.
parts as (
    select
        places.place_id,
        written.level as column_level,
        written.level || split.place as part,
        (regexp_match(split.text, '^({{ any_type }})\M'))[1] as type_word,
        {{ place_key("regexp_replace(split.text, '^(" ~ any_type ~ ")\\M', '')") }} as name_key,
        split.text
    from places
    cross join lateral (
        values
        ('regency', places.regency_raw),
        ('district', places.district_raw),
        ('village', places.village_raw)
    ) as written (level, text)
    cross join lateral regexp_replace(
        replace(lower(written.text), '_', ' '), '^\s*(kab(upaten)?\s*/\s*kota|bawaslu)\M[\s.:]*', ''
    ) as cleaned
    cross join lateral unnest(
        case
            -- 'Kurau (Timur)' is one name
            when {{ place_key('cleaned') }} in (select names.name_key from names) then array[cleaned]
            else regexp_split_to_array(
                cleaned,
                '\s*[,;/()|>&\[\]]+\s*|\s+(?:dan|atau)\s+|\s+[-–]\s+|\s+(?=({{ any_type }})\M\.?\s*\S)'
            )
        end
    ) with ordinality as split (text, place)
    where not {{ is_blank('written.text') }}
),

-- The levels that a part may be read at, the nearest first. In the regency's cell a village is
-- rather a regency of another province (Banyuasin).
levels (column_level, level, rank) as (
    values
    ('regency', 'regency', 1), ('regency', 'district', 2),
    ('district', 'district', 1), ('district', 'regency', 2), ('district', 'village', 3),
    ('village', 'village', 1), ('village', 'district', 2), ('village', 'regency', 3)
),

named as (
    select
        parts.place_id,
        parts.part,
        levels.rank,
        names.level || '_name' as method,
        names.regency_code,
        names.district_code,
        names.village_code
    from parts
    inner join names on parts.name_key = names.name_key
    inner join levels on parts.column_level = levels.column_level and names.level = levels.level
    where
        case
            when parts.type_word is null then true
            when parts.type_word ~ '^({{ type_words.regency }})$'
                then names.level = 'regency' and names.regency_code !~ '^\d\d\.[7-9]'
            -- 'Kota Bangka' may be the regency or its neighbour; 'Kota Sungailiat' is a town.
            when parts.type_word ~ '^({{ type_words.city }})$'
                then names.level = 'district' or names.regency_code ~ '^\d\d\.[7-9]'
            when parts.type_word ~ '^({{ type_words.district }})$' then names.level = 'district'
            when parts.type_word ~ '^({{ type_words.village }})$' then names.level <> 'regency'
            else false
        end
),

-- The names that are told even inside a sentence. A name that another one begins with ('Bangka') is
-- none: 'Bangka Brat' is a slip of the pen; the next in the order of bytes tells. Nor are villages,
-- whose names are everyday words.
telling as (
    select name_key
    from (
        select
            name_key,
            lead(name_key) over (order by name_key collate "C") as next_key
        from names
        where level <> 'village'
        group by name_key
    ) as in_order
    where next_key is null or not starts_with(next_key, name_key)
),

-- A part that means nothing as a whole may be a sentence with names in it: 'depan kantor camat Koba'.
scanned as (
    select
        parts.place_id,
        parts.part || '/' || words.position as part,
        1 as rank,
        names.level || '_name' as method,
        names.regency_code,
        names.district_code,
        names.village_code
    from parts
    cross join lateral regexp_split_to_array(parts.text, '\s+') as word
    cross join lateral (
        select
            position,
            array_to_string(word[position:position + size - 1], '') as text
        from generate_series(1, cardinality(word)) as position
        cross join generate_series(1, 3) as size
    ) as words
    inner join telling on {{ place_key('words.text') }} = telling.name_key
    inner join names on telling.name_key = names.name_key
    where
        names.level <> 'village'
        and not exists (
            select 1 from named
            where named.place_id = parts.place_id and named.part = parts.part
        )
),

-- Codes: digits only, so that '19.05', 1905 and '1905' are one; a code column may hold the longer
-- code of a district or village. In a column for names it has no scheme but its length's.
codes as (
    select
        places.place_id,
        written.part,
        written.scheme,
        {{ place_key("regexp_replace(written.text, '[.,]0$', '')") }} as digits
    from places
    cross join lateral (
        values
        ('regency_code', places.regency_code_raw, lower(places.regency_code_scheme)),
        ('district_code', places.district_code_raw, lower(places.district_code_scheme)),
        ('village_code', places.village_code_raw, lower(places.village_code_scheme)),
        ('regency_as_code', substring(places.regency_raw from '{{ leading_code }}'), null),
        ('district_as_code', substring(places.district_raw from '{{ leading_code }}'), null),
        ('village_as_code', substring(places.village_raw from '{{ leading_code }}'), null)
    ) as written (part, text, scheme)
    where written.text ~ '^\s*\d[\d\s.,]*$' -- a sheet may have made 1905.0 of a code
),

schemes as (
    select
        'kemendagri' as scheme,
        replace(regency_code, '.', '') as digits,
        regency_code
    from {{ ref('regency') }}
    where not is_unknown
    union all
    select
        'bps' as scheme,
        bps_code as digits,
        regency_code
    from {{ ref('regency') }}
    where not is_unknown
),

district_schemes as (
    select
        'kemendagri' as scheme,
        replace(district_code, '.', '') as digits,
        district_code
    from {{ ref('district') }}
    union all
    select
        'bps' as scheme,
        bps_code as digits,
        district_code
    from {{ ref('district') }}
),

coded as (
    select
        codes.place_id,
        codes.part,
        1 as rank,
        case when codes.scheme is null then 'bare_code' else 'regency_code' end as method,
        schemes.regency_code,
        districts.district_code,
        villages.village_code
    from codes
    inner join schemes
        on
            left(codes.digits, 4) = schemes.digits
            -- six digits are a district of Kemendagri, seven one of BPS
            and schemes.scheme = coalesce(
                codes.scheme,
                case length(codes.digits) when 6 then 'kemendagri' when 7 then 'bps' end,
                schemes.scheme
            )
    left join district_schemes as districts
        on
            schemes.scheme = districts.scheme
            and left(codes.digits, case schemes.scheme when 'kemendagri' then 6 else 7 end)
            = districts.digits
    -- BPS numbers villages in its own way; their codes say the district
    left join {{ ref('village') }} as villages
        on schemes.scheme = 'kemendagri' and codes.digits = replace(villages.village_code, '.', '')
    where length(codes.digits) in (4, 6, 7, 10)
),

readings as (
    select
        *,
        rank = min(rank) over (partition by place_id, part) as is_nearest,
        rank = min(rank) over (partition by place_id, part, regency_code) as is_nearest_in_regency,
        dense_rank() over (partition by place_id order by part) as part_number,
        bool_or(starts_with(part, 'regency')) over (partition by place_id) as is_regency_cell_read
    from (
        select * from named
        union all
        select * from scanned
        union all
        select * from coded
    ) as every_reading
),

-- In how many parts a regency is read, and the number of the last of them.
votes as (
    select
        place_id,
        regency_code,
        is_regency_cell_read,
        max(part_number) as last_part,
        count(distinct part) filter (where is_nearest) as nearest_count,
        count(distinct part) as any_count,
        min(
            case method
                when 'regency_code' then 1
                when 'regency_name' then 2
                when 'district_name' then 3
                when 'bare_code' then 4
                else 5
            end
        ) as strength
    from readings
    group by place_id, regency_code, is_regency_cell_read
),

-- The regencies that are read in all parts of a place.
agreed as (
    select
        place_id,
        is_regency_cell_read,
        array_agg(regency_code) filter (where nearest_count = part_count) as nearest_codes,
        array_agg(regency_code) filter (where any_count = part_count) as any_codes
    from (
        select
            *,
            max(last_part) over (partition by place_id) as part_count
        from votes
    ) as counted
    group by place_id, is_regency_cell_read
),

-- A regency's cell that names the province, or nothing, leaves the word to the others.
decided as (
    select
        places.*,
        case
            when agreed.place_id is null then null
            -- 'Bangka Barat/Selatan' are two
            when exists (
                select 1 from parts
                where
                    parts.place_id = places.place_id
                    and parts.column_level = 'regency'
                    and parts.name_key ~ '^(barat|selatan|tengah|timur)$'
            )
                then '{}'
            when
                not agreed.is_regency_cell_read
                and exists (
                    select 1 from parts
                    where
                        parts.place_id = places.place_id
                        and parts.column_level = 'regency'
                        and coalesce(parts.type_word, '') !~ '^({{ type_words.province }})$'
                        and parts.name_key !~ '^({{ var("province_words") }})?$'
                )
                then '{}'
            else coalesce(agreed.nearest_codes, agreed.any_codes, '{}')
        end as regency_codes
    from places
    left join agreed on places.place_id = agreed.place_id
),

located as (
    select
        decided.*,
        votes.regency_code as found_regency_code,
        case
            when votes.regency_code is not null
                then (
                    array['regency_code', 'regency_name', 'district_name', 'bare_code', 'village_name']
                )[votes.strength]
            when cardinality(decided.regency_codes) > 1 then 'ambiguous'
            when decided.regency_codes = '{}' then 'contradictory'
            when
                num_nonnulls(
                    regency_raw, district_raw, village_raw,
                    regency_code_raw, district_code_raw, village_code_raw
                ) = 0
                then 'not_said'
            else 'unresolved'
        end as location_method
    from decided
    left join votes
        on
            decided.place_id = votes.place_id
            and cardinality(decided.regency_codes) = 1
            and votes.regency_code = decided.regency_codes[1]
),

-- The one district that every part means which names a district or village of the regency.
district_readings as (
    select
        readings.place_id,
        readings.district_code,
        readings.village_code,
        dense_rank() over (partition by readings.place_id order by readings.part) as part_number
    from readings
    inner join located
        on
            readings.place_id = located.place_id
            and readings.regency_code = located.found_regency_code
    where readings.is_nearest_in_regency and readings.district_code is not null
),

districts as (
    select
        place_id,
        case when count(*) = 1 then min(district_code) end as district_code,
        case when count(*) = 1 and min(village_count) = 1 then min(village_code) end as village_code
    from (
        select
            place_id,
            district_code,
            count(distinct part_number) as part_count,
            max(max(part_number)) over (partition by place_id) as parts_of_place,
            count(distinct village_code) as village_count,
            min(village_code) as village_code
        from district_readings
        group by place_id, district_code
    ) as votes
    where part_count = parts_of_place
    group by place_id
)

select
    located.place_id,
    located.regency_raw,
    located.district_raw,
    located.village_raw,
    located.regency_code_raw,
    located.regency_code_scheme,
    located.district_code_raw,
    located.district_code_scheme,
    located.village_code_raw,
    located.village_code_scheme,
    coalesce(located.found_regency_code, '{{ unknown_regency() }}') as regency_code,
    districts.district_code,
    districts.village_code,
    located.location_method,
    case
        when located.found_regency_code is null then 0.0
        when located.location_method in ('regency_name', 'regency_code') then 1.0
        when located.location_method = 'bare_code' then 0.9
        when located.location_method = 'district_name' then 0.8
        else 0.7
    end as location_confidence
from located
left join districts on located.place_id = districts.place_id
