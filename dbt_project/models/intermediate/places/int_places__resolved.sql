{{ config(
    materialized='incremental',
    incremental_strategy='append',
    indexes=[{'columns': ['place_id'], 'unique': true}],
    pre_hook="set local enable_nestloop = off"
) }}
-- Every way of writing a place, resolved once to regency, district and village.
--
-- A place is the region on which all its strong readings agree (int_place_readings__found reads the
-- words, this model the codes). Weak readings, such as misspelt names, only choose among the remaining
-- regions, or decide where nothing else was read and they agree. Nothing is guessed: where readings
-- contradict each other, where more than one regency remains, or where a region elsewhere is named, the
-- regency is the unknown one of the channel's province and the place is listed for review, until a steward
-- chooses one: that decision stands, whatever is read. docs/explanation/places.md states the rules and their
-- accuracy. An increment adds the new ways of writing.
{%- set leading_code = '^\\s*(\\d\\d[\\d.]{2,})(?:\\s|$)' %}
{%- set dotted_code = '^\\s*\\d\\d\\.\\d\\d(\\.|\\s|$)' %}
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

-- Codes as digits only, so that '19.05', 1905 and '1905' are equal; a code column may hold the longer
-- code of a district or village. Without a scheme, a code with dots is Kemendagri's; otherwise its
-- length decides.
codes as (
    select
        places.place_id,
        written.part,
        coalesce(
            written.scheme,
            case when written.text ~ '{{ dotted_code }}' then 'kemendagri' end
        ) as scheme,
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
    where written.text ~ '^\s*\d[\d\s.,]*$' -- a spreadsheet may turn a code into 1905.0
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
        1 as strength,
        1 as rank,
        case when codes.scheme is null then 'bare_code' else 'regency_code' end as method,
        schemes.regency_code,
        districts.district_code,
        villages.village_code
    from codes
    inner join schemes
        on
            {{ province_of('codes.place_id') }} = {{ province_of('schemes.regency_code') }}
            and left(codes.digits, 4) = schemes.digits
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
    -- BPS has its own village codes; only their district part is used
    left join {{ ref('village') }} as villages
        on schemes.scheme = 'kemendagri' and codes.digits = replace(villages.village_code, '.', '')
    where length(codes.digits) in (4, 6, 7, 10)
),

found as materialized (
    select found.*
    from {{ ref('int_place_readings__found') }} as found
    inner join places on found.place_id = places.place_id
),

every_reading as (
    select * from found
    where strength is not null
    union all
    select * from coded
),

readings as materialized (
    select
        strong.*,
        min(strength) over (partition by place_id) as strongest,
        rank = min(rank) over (partition by place_id, part) as is_nearest,
        rank = min(rank) over (partition by place_id, part, regency_code) as is_nearest_in_regency
    from every_reading as strong
),

-- Strength 1 decides; 2 decides where nothing stronger was read; 3 only chooses among the remaining
-- regions.
deciding as (
    select
        readings.*,
        dense_rank() over (partition by place_id order by part) as part_number
    from readings
    where strength < 3 and strength = strongest
),

-- The number of parts in which a regency is read, and the number of the last such part.
votes as materialized (
    select
        place_id,
        regency_code,
        max(part_number) as last_part,
        count(distinct part) filter (where is_nearest) as nearest_count,
        count(distinct part) as any_count,
        min(
            case method
                when 'regency_code' then 1
                when 'regency_name' then 2
                when 'district_name' then 3
                when 'bare_code' then 4
                when 'village_name' then 5
                else 6
            end
        ) as evidence
    from deciding
    group by place_id, regency_code
),

-- The regencies that are read in all parts of a place.
agreed as (
    select
        place_id,
        array_agg(regency_code) filter (where nearest_count = part_count) as nearest_codes,
        array_agg(regency_code) filter (where any_count = part_count) as any_codes,
        min(evidence) as evidence
    from (
        select
            *,
            max(last_part) over (partition by place_id) as part_count
        from votes
    ) as counted
    group by place_id
),

findings as (
    select
        place_id,
        bool_or(method <> 'unread_district') as is_open,
        bool_or(method = 'unread_district') as is_district_unread
    from found
    where strength is null
    group by place_id
),

decided as (
    select
        places.*,
        case
            when agreed.place_id is null then null
            when
                findings.is_open
                -- a village alone does not suffice beside an unreadable district
                or (findings.is_district_unread and agreed.evidence >= 5)
                then '{}'
            else coalesce(agreed.nearest_codes, agreed.any_codes, '{}')
        end as regency_codes
    from places
    left join agreed on places.place_id = agreed.place_id
    left join findings on places.place_id = findings.place_id
),

located as materialized (
    select
        decided.*,
        votes.regency_code as found_regency_code,
        case
            when votes.regency_code is not null
                then (
                    array[
                        'regency_code', 'regency_name', 'district_name', 'bare_code', 'village_name', 'slip'
                    ]
                )[votes.evidence]
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

-- The single district on which all strong parts agree that name a district or village of the regency; weak
-- parts choose where several remain or none was named.
district_readings as materialized (
    select
        readings.place_id,
        readings.strength = 3 as is_weak,
        readings.district_code,
        readings.village_code,
        dense_rank() over (
            partition by readings.place_id, readings.strength = 3 order by readings.part
        ) as part_number
    from readings
    inner join located
        on
            readings.place_id = located.place_id
            and readings.regency_code = located.found_regency_code
    where readings.is_nearest_in_regency and readings.district_code is not null
),

district_votes as materialized (
    select
        votes.*,
        count(*) over (partition by place_id, is_weak) as candidate_count
    from (
        select
            place_id,
            is_weak,
            district_code,
            count(distinct part_number) as part_count,
            max(max(part_number)) over (partition by place_id, is_weak) as parts_of_place,
            count(distinct village_code) as village_count,
            min(village_code) as village_code
        from district_readings
        group by place_id, is_weak, district_code
    ) as votes
    where votes.part_count = votes.parts_of_place
),

districts as (
    select
        place_id,
        case when count(*) = 1 then min(district_code) end as district_code,
        case when count(*) = 1 and min(village_count) = 1 then min(village_code) end as village_code
    from (
        select
            votes.place_id,
            votes.district_code,
            coalesce(nullif(votes.village_count, 0), weak.village_count, 0) as village_count,
            coalesce(votes.village_code, weak.village_code) as village_code
        from district_votes as votes
        left join district_votes as weak
            on
                votes.place_id = weak.place_id
                and votes.district_code = weak.district_code
                and weak.is_weak
                and not votes.is_weak
        left join (
            select distinct place_id
            from district_readings
            where not is_weak
        ) as strong
            on votes.place_id = strong.place_id
        where
            case
                when votes.is_weak then strong.place_id is null
                else votes.candidate_count = 1 or weak.place_id is not null
            end
    ) as candidates
    group by place_id
),

chosen as (
    select
        mappings.term as place_id,
        coalesce(districts.regency_code, mappings.code) as regency_code,
        districts.district_code
    from {{ source('ops', 'mapping') }} as mappings
    left join {{ ref('district') }} as districts on mappings.code = districts.district_code
    where mappings.vocabulary = 'place'
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
    coalesce(
        chosen.regency_code,
        located.found_regency_code,
        {{ unknown_regency(province_of('located.place_id')) }}
    ) as regency_code,
    case when chosen.place_id is null then districts.district_code else chosen.district_code end
        as district_code,
    case when chosen.place_id is null then districts.village_code end as village_code,
    case when chosen.place_id is null then located.location_method else 'chosen' end as location_method,
    case
        when chosen.place_id is not null then 1.0
        when located.found_regency_code is null then 0.0
        when located.location_method in ('regency_name', 'regency_code') then 1.0
        when located.location_method = 'bare_code' then 0.9
        when located.location_method = 'district_name' then 0.8
        when located.location_method = 'village_name' then 0.7
        else 0.6
    end as location_confidence
from located
left join districts on located.place_id = districts.place_id
left join chosen on located.place_id = chosen.place_id
