-- Every name that may stand in a text about a place, under the key by which int_places__resolved
-- looks it up: names and aliases of regions here (levels regency, district, village), of regions
-- elsewhere (outside), of the province (province), and of what is no region (other).
with written as (
    select
        'regency' as level,
        regexp_replace(regency_name, '^(Kabupaten|Kota) ', '') as name,
        regency_code,
        null as district_code,
        null as village_code
    from {{ ref('regency') }}
    where not is_unknown
    union all
    select
        'district' as level,
        district_name as name,
        regency_code,
        district_code,
        null as village_code
    from {{ ref('district') }}
    union all
    select
        aliases.level,
        aliases.alias as name,
        coalesce(districts.regency_code, aliases.region_code) as regency_code,
        districts.district_code,
        null as village_code
    from {{ ref('region_alias') }} as aliases
    left join {{ ref('district') }} as districts on aliases.region_code = districts.district_code
    union all
    select
        'village' as level,
        villages.village_name as name,
        districts.regency_code,
        villages.district_code,
        villages.village_code
    from {{ ref('village') }} as villages
    inner join {{ ref('district') }} as districts on villages.district_code = districts.district_code
    union all
    select
        'outside' as level,
        outside_name as name,
        null as regency_code,
        null as district_code,
        null as village_code
    from {{ ref('outside_region') }}
    union all
    select
        role as level,
        word as name,
        null as regency_code,
        null as district_code,
        null as village_code
    from {{ ref('place_word') }}
    where role in ('outside', 'province', 'other')
),

keyed as (
    select distinct
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
    select distinct {{ place_key('word') }} as name_key
    from {{ ref('place_word') }}
    where role = 'everyday'
)

select
    keyed.*,
    -- without its vowels, for abbreviations that omit letters
    {{ skeleton('keyed.name_key') }} as skeleton,
    -- an everyday word, or also the name of a region elsewhere: not searched for inside a sentence
    keyed.name_key in (select everyday.name_key from everyday)
    or (
        keyed.level <> 'outside'
        and exists (
            select 1 from keyed as others
            where others.level = 'outside' and others.name_key = keyed.name_key
        )
    ) as is_everyday,
    bool_or(keyed.regency_code is not null) over (partition by keyed.name_key) as is_here,
    bool_or(keyed.level = 'village') over (partition by keyed.name_key) as is_village,
    -- a prefix of another name, as 'Bangka' of 'Bangka Barat': the next words decide
    exists ( -- noqa: LT01, LT06
        select 1 from keyed as longer
        where starts_with(longer.name_key, keyed.name_key) and longer.name_key <> keyed.name_key
    ) as is_beginning
from keyed
