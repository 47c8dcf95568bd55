-- Every way in which a channel wrote a place, resolved once to regency, district and village.
--
-- Evidence for the regency, strongest first: names and codes with their scheme together; a code
-- without a scheme; the name of a district. The first kind that says anything decides. If it says
-- two things (a bare 1903 is Bangka Barat to BPS and Bangka Selatan to Kemendagri), the district
-- may settle it between them; otherwise the place stays unresolved: regency 19.00, for review.
-- The regency decides over the district: a district that does not belong to it is dropped.
{%- set type_words = 'kabupaten|kab|kota|kecamatan|kec|provinsi|prov|desa|kelurahan|kel' %}
with places as (
    select
        {{ place_id() }} as place_id,
        regency_raw,
        district_raw,
        village_raw,
        regency_code_raw,
        regency_code_scheme,
        district_code_raw,
        district_code_scheme,
        count(*) as record_count
    from {{ ref('stg_intake__records') }}
    group by
        regency_raw,
        district_raw,
        village_raw,
        regency_code_raw,
        regency_code_scheme,
        district_code_raw,
        district_code_scheme
),

names as (
    select
        'regency' as level,
        regency_code as region_code,
        {{ place_key("regexp_replace(regency_name, '^(Kabupaten|Kota) ', '')") }} as name_key
    from {{ ref('regency') }}
    where not is_unknown
    union
    select
        'district' as level,
        district_code as region_code,
        {{ place_key('district_name') }} as name_key
    from {{ ref('district') }}
    union
    select
        level,
        region_code,
        {{ place_key('alias') }} as name_key
    from {{ ref('region_alias') }}
),

-- A text may hold several names: 'Kec. Rangkui, Pangkal Pinang'.
parts as (
    select
        places.place_id,
        written.level as column_level,
        (regexp_match(split.part, '^({{ type_words }})\M'))[1] as type_word,
        {{ place_key("regexp_replace(split.part, '^(" ~ type_words ~ ")\\M', '')") }} as name_key
    from places
    cross join lateral (
        values ('regency', places.regency_raw), ('district', places.district_raw)
    ) as written (level, text)
    cross join lateral regexp_split_to_table(lower(written.text), '\s*[,;/()]\s*') as split (part)
),

named as (
    select distinct
        parts.place_id,
        names.level,
        names.region_code
    from parts
    inner join names on parts.name_key = names.name_key
    where
        case names.level
            when 'regency'
                then
                    parts.type_word in ('kabupaten', 'kab')
                    -- 'Kota Bangka' may be the regency or its neighbour Kota Pangkal Pinang.
                    or (parts.type_word = 'kota' and names.region_code ~ '^\d\d\.[7-9]')
                    or (parts.type_word is null and parts.column_level = 'regency')
            else parts.type_word is null or parts.type_word in ('kecamatan', 'kec')
        end
),

-- Codes: digits only, so that '19.05', 1905 and '1905' are one; a code column may hold a longer
-- code of a district or village in it. A name column may hold a code, then without a scheme.
codes as (
    select
        places.place_id,
        case when written.is_code then lower(written.scheme) end as scheme,
        {{ place_key('written.text') }} as digits
    from places
    cross join lateral (
        values
        (places.regency_code_raw, places.regency_code_scheme, true),
        (places.district_code_raw, places.district_code_scheme, true),
        (places.regency_raw, null, false)
    ) as written (text, scheme, is_code)
    where written.text ~ '^\s*\d[\d\s.]*$'
),

schemes as (
    select
        'kemendagri' as scheme,
        regency_code,
        replace(regency_code, '.', '') as digits
    from {{ ref('regency') }}
    where not is_unknown
    union all
    select
        'bps' as scheme,
        regency_code,
        bps_code as digits
    from {{ ref('regency') }}
    where not is_unknown
),

coded as (
    select
        codes.place_id,
        codes.scheme is not null as has_scheme,
        schemes.regency_code
    from codes
    inner join schemes
        on left(codes.digits, 4) = schemes.digits and coalesce(codes.scheme, schemes.scheme) = schemes.scheme
    where length(codes.digits) in (4, 6, 7, 10)
),

evidence as (
    select
        place_id,
        1 as rank,
        'regency_name' as method,
        region_code as regency_code
    from named
    where level = 'regency'
    union
    select
        place_id,
        1 as rank,
        'regency_code' as method,
        regency_code
    from coded
    where has_scheme
    union
    select
        place_id,
        2 as rank,
        'bare_code' as method,
        regency_code
    from coded
    where not has_scheme
),

strongest as (
    select
        place_id,
        array_agg(distinct regency_code) as regency_codes,
        min(method) as method -- a code with its scheme, where code and name agree
    from (
        select
            *,
            min(rank) over (partition by place_id) as best_rank
        from evidence
    ) as ranked
    where rank = best_rank
    group by place_id
),

districts as (
    select
        place_id,
        region_code as district_code
    from named
    where level = 'district'
    union
    select
        codes.place_id,
        kemendagri.district_code
    from codes
    inner join {{ ref('district') }} as kemendagri
        on left(codes.digits, 6) = replace(kemendagri.district_code, '.', '')
    where codes.scheme = 'kemendagri'
    union
    select
        codes.place_id,
        bps.district_code
    from codes
    inner join {{ ref('district') }} as bps on left(codes.digits, 7) = bps.bps_code
    where codes.scheme = 'bps'
),

district_sets as (
    select
        districts.place_id,
        array_agg(districts.district_code order by districts.district_code) as district_codes,
        array_agg(distinct regions.regency_code) as regency_codes
    from districts
    inner join {{ ref('district') }} as regions on districts.district_code = regions.district_code
    group by districts.place_id
),

decided as (
    select
        places.*,
        case
            when cardinality(strongest.regency_codes) = 1 then strongest.regency_codes[1]
            when
                cardinality(district_sets.regency_codes) = 1
                and (
                    strongest.regency_codes is null
                    or district_sets.regency_codes <@ strongest.regency_codes
                )
                then district_sets.regency_codes[1]
        end as found_regency_code,
        case
            when cardinality(strongest.regency_codes) = 1 then strongest.method
            when cardinality(strongest.regency_codes) > 1 then 'ambiguous'
            when num_nonnulls(regency_raw, district_raw, regency_code_raw, district_code_raw) = 0
                then 'not_said'
            else 'unresolved'
        end as regency_method
    from places
    left join strongest on places.place_id = strongest.place_id
    left join district_sets on places.place_id = district_sets.place_id
),

-- The one district that was named and belongs to the regency.
belonging as (
    select
        decided.place_id,
        min(districts.district_code) as district_code
    from decided
    inner join districts on decided.place_id = districts.place_id
    inner join {{ ref('district') }} as regions
        on
            districts.district_code = regions.district_code
            and decided.found_regency_code = regions.regency_code
    group by decided.place_id
    having count(*) = 1
),

villages as (
    select
        district_code,
        {{ place_key('village_name') }} as name_key,
        min(village_code) as village_code
    from {{ ref('village') }}
    group by district_code, name_key
    having count(*) = 1
),

placed as (
    select
        decided.*,
        belonging.district_code,
        {{ place_key("regexp_replace(decided.village_raw, '^\\s*(desa|kelurahan|kel|ds)\\M', '', 'i')") }}
            as village_key
    from decided
    left join belonging on decided.place_id = belonging.place_id
)

select
    placed.place_id,
    placed.regency_raw,
    placed.district_raw,
    placed.village_raw,
    placed.regency_code_raw,
    placed.regency_code_scheme,
    placed.district_code_raw,
    placed.district_code_scheme,
    coalesce(placed.found_regency_code, '19.00') as regency_code,
    placed.district_code,
    villages.village_code,
    case
        when placed.found_regency_code is null then placed.regency_method
        when placed.regency_method in ('ambiguous', 'unresolved') then 'district_name'
        else placed.regency_method
    end as location_method,
    case
        when placed.found_regency_code is null then 0.0
        when placed.regency_method in ('regency_name', 'regency_code') then 1.0
        when placed.regency_method = 'bare_code' then 0.9
        else 0.8
    end as location_confidence,
    placed.record_count
from placed
left join villages
    on placed.district_code = villages.district_code and placed.village_key = villages.name_key
