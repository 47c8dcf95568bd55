-- Every name that may stand in a text about a place of a province, under the key by which
-- int_places__resolved looks it up: names and aliases of its regions (levels regency, district, village), of
-- regions elsewhere (outside), of the province (province), and of what is no region (other).
with provinces as (
    select distinct {{ province_of('regency_code') }} as province_code
    from {{ ref('regency') }}
),

written as (
    select
        {{ province_of('regency_code') }} as province_code,
        'regency' as level,
        regexp_replace(regency_name, '^(Kabupaten|Kota) (Administrasi )?', '') as name,
        regency_code,
        null as district_code,
        null as village_code
    from {{ ref('regency') }}
    where not is_unknown
    union all
    select
        {{ province_of('regency_code') }} as province_code,
        'district' as level,
        district_name as name,
        regency_code,
        district_code,
        null as village_code
    from {{ ref('district') }}
    union all
    select
        {{ province_of('aliases.region_code') }} as province_code,
        aliases.level,
        aliases.alias as name,
        coalesce(districts.regency_code, aliases.region_code) as regency_code,
        districts.district_code,
        null as village_code
    from {{ ref('region_alias') }} as aliases
    left join {{ ref('district') }} as districts on aliases.region_code = districts.district_code
    union all
    select
        {{ province_of('villages.village_code') }} as province_code,
        'village' as level,
        villages.village_name as name,
        districts.regency_code,
        villages.district_code,
        villages.village_code
    from {{ ref('village') }} as villages
    inner join {{ ref('district') }} as districts on villages.district_code = districts.district_code
    union all
    select
        provinces.province_code,
        'outside' as level,
        regions.outside_name as name,
        null as regency_code,
        null as district_code,
        null as village_code
    from {{ ref('outside_region') }} as regions
    inner join provinces
        on coalesce(regions.province_code, provinces.province_code) = provinces.province_code
    union all
    select
        provinces.province_code,
        words.role as level,
        words.word as name,
        null as regency_code,
        null as district_code,
        null as village_code
    from {{ ref('place_word') }} as words
    inner join provinces on coalesce(words.province_code, provinces.province_code) = provinces.province_code
    where words.role in ('outside', 'province', 'other')
),

keyed as (
    select distinct
        written.province_code,
        keys.name_key,
        written.level,
        written.regency_code,
        written.district_code,
        written.village_code
    from written
    cross join lateral (
        select {{ place_key('written.name') }} as name_key
        union
        -- 'Sp. Katis' and 'Simpang Katis' are one name
        select string_agg(coalesce(words.meaning, token.word), '' order by token.position) as name_key
        from unnest(
            regexp_split_to_array(lower(written.name), '[^a-z0-9]+')
        ) with ordinality as token (word, position)
        left join {{ ref('place_word') }} as words on token.word = words.word and words.role = 'short'
    ) as keys
),

everyday as (
    select distinct
        provinces.province_code,
        {{ place_key('words.word') }} as name_key
    from {{ ref('place_word') }} as words
    inner join provinces on coalesce(words.province_code, provinces.province_code) = provinces.province_code
    where words.role = 'everyday'
),

-- A name that begins others comes right before the first of them.
ordered as (
    select
        province_code,
        name_key,
        lead(name_key) over (partition by province_code order by name_key collate "C") as next_name_key
    from keyed
    group by province_code, name_key
)

select
    keyed.*,
    -- without its vowels, for abbreviations that omit letters
    {{ skeleton('keyed.name_key') }} as skeleton,
    -- an everyday word, or also the name of a region elsewhere: not searched for inside a sentence
    everyday.name_key is not null
    or (keyed.level <> 'outside' and bool_or(keyed.level = 'outside') over one_name) as is_everyday,
    bool_or(keyed.regency_code is not null) over one_name as is_here,
    bool_or(keyed.level = 'village') over one_name as is_village,
    -- a prefix of another name, as 'Bangka' of 'Bangka Barat': the next words decide
    coalesce(starts_with(ordered.next_name_key, keyed.name_key), false) as is_beginning
from keyed
inner join ordered on keyed.province_code = ordered.province_code and keyed.name_key = ordered.name_key
left join everyday on keyed.province_code = everyday.province_code and keyed.name_key = everyday.name_key
window one_name as (partition by keyed.province_code, keyed.name_key)
