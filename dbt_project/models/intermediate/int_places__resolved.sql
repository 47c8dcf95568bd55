{{ config(
    materialized='incremental',
    incremental_strategy='append',
    indexes=[{'columns': ['place_id'], 'unique': true}],
    pre_hook="set local enable_nestloop = off"
) }}
-- Every way in which a channel wrote a place, resolved once to regency, district and village.
--
-- Each cell is cut into segments at its separators and into words. The longest runs of words that
-- are a name are read; a word of type before a name ('Desa', 'Kec.') decides its level. Runs that
-- are no name are compared with names a few letters away. A place is what all its strong readings
-- agree on; weak readings (a village inside a sentence, a slip of the pen) only choose among what
-- is left, or decide where nothing else was read and they agree. Nothing is guessed: where readings
-- contradict each other, where more than one regency remains, or where a region elsewhere is named,
-- the regency is 19.00, for review. docs/places.md states the rules and what they find and miss.
-- An increment adds the ways of writing that are new.
{%- set leading_code = '^\\s*(\\d\\d[\\d.]{2,})(?:\\s|$)' %}
{%- set dotted_code = '^\\s*\\d\\d\\.\\d\\d(\\.|\\s|$)' %}
{%- set separators %}[,;/()|>&\[\]]+|\s+(?:dan|atau|serta)\s+|\s+[-–]\s+|-(?=\s*(?:kab|kec|kel|desa|ds|kota)\M){% endset %}
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

names as materialized (
    select * from {{ ref('int_place_names__listed') }}
),

-- 'kec_kelapa' is a form's key; 'Kab/Kota: Belitung' repeats its question; 'Jl. Raya Koba - Toboali'
-- is one street; 'Kurau (Timur)' is one name.
cells as materialized (
    select
        places.place_id,
        written.level as column_level,
        cleaned.text,
        {{ place_key('cleaned.text') }} as cell_key,
        {{ place_key('cleaned.text') }} in (select names.name_key from names) as is_name
    from places
    cross join lateral (
        values
        ('regency', places.regency_raw),
        ('district', places.district_raw),
        ('village', places.village_raw)
    ) as written (level, text)
    cross join lateral (
        select
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        translate(lower(written.text), '_:', '  '),
                        '^\s*(kab(upaten)?\s*/\s*kota|bawaslu)\M[\s.]*', ''
                    ),
                    '\m(kabupaten|kecamatan|kelurahan)(?=[a-z])', '\1 ', 'g'
                ),
                '(\m(?:jalan|jln|jl)\M[^,;()]*?)\s+[-–]\s+', '\1 sampai '
            ) as text
    ) as cleaned
    where not {{ is_blank('written.text') }}
),

tokens as materialized (
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
            case when cells.is_name then array[cells.cell_key] else regexp_split_to_array(cells.text, '{{ separators }}') end
        ) with ordinality as segments (text, number)
        cross join lateral regexp_split_to_table(segments.text, '[^a-z0-9]+') with ordinality as token (word, number)
        where token.word <> ''
    ) as split
    left join {{ ref('place_word') }} as short on split.word = short.word and short.role = 'short'
    left join {{ ref('place_word') }} as types on split.word = types.word and types.role = 'type'
    left join {{ ref('place_word') }} as plain on split.word = plain.word and plain.role = 'plain'
),

runs as (
    select
        place_id,
        column_level,
        segment,
        array_agg(word order by position) as words,
        array_agg(type order by position) as types
    from tokens
    group by place_id, column_level, segment
),

-- Up to four words in a row, with the type before them. 'Jl. Raya Koba' is a street as 'Jl. Koba'.
spans as materialized (
    select
        runs.place_id,
        runs.column_level,
        runs.segment,
        first,
        first + size - 1 as last,
        array_to_string(runs.words[first:first + size - 1], '') as span_key,
        case
            when runs.words[first - 1] in ('raya', 'lintas', 'poros') then runs.types[first - 2]
            else runs.types[first - 1]
        end as type
    from runs
    cross join generate_series(1, cardinality(runs.words)) as first
    cross join generate_series(1, 4) as size
    where first + size - 1 <= cardinality(runs.words)
),

named as materialized (
    select
        spans.*,
        bool_or(names.is_beginning) as is_beginning,
        bool_or(names.is_everyday) as is_everyday,
        bool_or(names.level in ('regency', 'district')) as is_high
    from spans
    inner join names on spans.span_key = names.name_key
    group by
        spans.place_id, spans.column_level, spans.segment,
        spans.first, spans.last, spans.span_key, spans.type
),

longest as materialized (
    select named.*
    from named
    where not exists (
        select 1
        from named as longer
        where
            longer.place_id = named.place_id
            and longer.column_level = named.column_level
            and longer.segment = named.segment
            and longer.first <= named.first
            and longer.last >= named.last
            and longer.last - longer.first > named.last - named.first
    )
),

-- A beginning of longer names before a word that nobody knows is read as neither: 'Bangka Utara'.
hits as materialized (
    select longest.*
    from longest
    left join tokens
        on
            longest.place_id = tokens.place_id
            and longest.column_level = tokens.column_level
            and longest.segment = tokens.segment
            and longest.last + 1 = tokens.position
            and tokens.type is null
            and not tokens.is_plain
    left join longest as next_one
        on
            longest.place_id = next_one.place_id
            and longest.column_level = next_one.column_level
            and longest.segment = next_one.segment
            and longest.last + 1 = next_one.first
    group by
        longest.place_id, longest.column_level, longest.segment, longest.first, longest.last,
        longest.span_key, longest.type, longest.is_beginning, longest.is_everyday, longest.is_high
    having
        not longest.is_beginning
        or coalesce(longest.type, '') in ('district', 'village')
        or count(tokens.place_id) = 0
        or count(next_one.place_id) > 0
),

-- Words with what they belong to: a new chunk begins at a word of type that is no part of a name.
covered as materialized (
    select
        tokens.*,
        hit_tokens.first as hit_first,
        coalesce(hit_tokens.is_everyday and not hit_tokens.is_high, false) as is_everyday_hit,
        tokens.type is not null and hit_tokens.first is null as is_boundary
    from tokens
    left join (
        select
            hits.place_id,
            hits.column_level,
            hits.segment,
            position,
            min(hits.first) as first,
            bool_and(hits.is_everyday) as is_everyday,
            bool_or(hits.is_high) as is_high
        from hits
        cross join generate_series(hits.first, hits.last) as position
        group by hits.place_id, hits.column_level, hits.segment, position
    ) as hit_tokens
        on
            tokens.place_id = hit_tokens.place_id
            and tokens.column_level = hit_tokens.column_level
            and tokens.segment = hit_tokens.segment
            and tokens.position = hit_tokens.position
),

chunked as materialized (
    select
        started.*,
        first_value(started.type) over (
            partition by started.place_id, started.column_level, started.segment, started.chunk_start
            order by started.position
        ) as chunk_type
    from (
        select
            covered.*,
            coalesce(
                max(case when covered.is_boundary then covered.position end) over (
                    partition by covered.place_id, covered.column_level, covered.segment
                    order by covered.position
                ),
                0
            ) as chunk_start
        from covered
    ) as started
),

-- Runs of words that are no name: compared with every name that begins or ends alike, or that is
-- the same without its vowels.
unread_spans as materialized (
    select spans.*
    from spans
    inner join chunked
        on
            spans.place_id = chunked.place_id
            and spans.column_level = chunked.column_level
            and spans.segment = chunked.segment
            and chunked.position between spans.first and spans.last
    where length(spans.span_key) >= 4
    group by
        spans.place_id, spans.column_level, spans.segment,
        spans.first, spans.last, spans.span_key, spans.type
    having
        not bool_or(chunked.is_boundary or (chunked.hit_first is not null and not chunked.is_everyday_hit))
        and bool_or(chunked.hit_first is null and not chunked.is_plain)
        and not bool_or(chunked.word ~ '^[0-9]+$')
        and coalesce(spans.type, '') not in ('street', 'hamlet')
),

span_keys as (
    select distinct
        span_key,
        left(span_key, 1) || regexp_replace(substr(span_key, 2), '[aeiou]', '', 'g') as skeleton
    from unread_spans
),

name_keys as (
    select
        name_key,
        skeleton,
        is_here
    from names
    where length(name_key) >= 4
    group by name_key, skeleton, is_here
),

-- One letter more, less, other or swapped with its neighbour counts one, in long names two are allowed.
near as materialized (
    select
        span_key,
        name_key,
        distance
    from (
        select
            measured.span_key,
            measured.name_key,
            case
                when measured.span_skeleton = measured.name_skeleton and length(measured.span_skeleton) >= 4 then 1
                when measured.edits = 2 and {{ letters('measured.span_key') }} = {{ letters('measured.name_key') }} then 1
                when
                    length(measured.span_key) >= 6
                    and starts_with(measured.name_key, measured.span_key)
                    and 2 * length(measured.span_key) >= length(measured.name_key)
                    then 2
                else measured.edits
            end as distance,
            case when least(length(measured.span_key), length(measured.name_key)) >= 8 then 2 else 1 end as allowed,
            starts_with(measured.name_key, measured.span_key) and length(measured.span_key) >= 6 as is_cut
        from (
            select distinct
                spans.span_key,
                spans.skeleton as span_skeleton,
                names.name_key,
                case when names.is_here then names.skeleton end as name_skeleton,
                levenshtein(spans.span_key, names.name_key) as edits
            from (
                select span_key, skeleton, 'a' || left(span_key, 3) as block from span_keys
                union all
                select span_key, skeleton, 'b' || right(span_key, 3) as block from span_keys
                union all
                select span_key, skeleton, 'c' || skeleton as block from span_keys
            ) as spans
            inner join (
                select name_key, skeleton, is_here, 'a' || left(name_key, 3) as block from name_keys
                union all
                select name_key, skeleton, is_here, 'b' || right(name_key, 3) as block from name_keys
                union all
                select name_key, skeleton, is_here, 'c' || skeleton as block from name_keys
            ) as names on spans.block = names.block
        ) as measured
    ) as judged
    where distance <= allowed or (is_cut and distance = 2)
),

guesses as materialized (
    select
        spans.*,
        near.name_key,
        near.distance,
        min(near.distance) over one_span as best_distance
    from unread_spans as spans
    inner join near on spans.span_key = near.span_key
    window one_span as (
        partition by spans.place_id, spans.column_level, spans.segment, spans.first, spans.last
    )
),

-- Of runs that overlap, the one with the fewest letters wrong, then the longest.
slips as materialized (
    select guesses.*
    from guesses
    where not exists (
        select 1
        from guesses as better
        where
            better.place_id = guesses.place_id
            and better.column_level = guesses.column_level
            and better.segment = guesses.segment
            and better.first <= guesses.last
            and better.last >= guesses.first
            and (better.best_distance, better.first - better.last, better.first)
            < (guesses.best_distance, guesses.first - guesses.last, guesses.first)
    )
),

-- What of a chunk is read: by names, by slips, not at all.
chunks as materialized (
    select
        words.place_id,
        words.column_level,
        words.segment,
        words.chunk_start,
        min(words.chunk_type) as chunk_type,
        max(words.position) as last,
        count(distinct words.hit_first) as hit_count,
        count(*) filter (where words.is_unread) as unread_count,
        count(*) filter (where words.is_unread and words.is_slip) as slip_count,
        -- the first word after the type: 'Kec. Entah'
        bool_or(words.is_unread and not words.is_slip and words.position = words.chunk_start + 1) as is_type_unread
    from (
        select
            chunked.*,
            slip_tokens.position is not null as is_slip,
            chunked.hit_first is null
            and not chunked.is_boundary
            and not chunked.is_plain
            and case when chunked.chunk_start > 0 then chunked.chunk_type else '' end
            not in ('street', 'hamlet', 'province') as is_unread
        from chunked
        left join (
            select distinct
                slips.place_id,
                slips.column_level,
                slips.segment,
                position
            from slips
            cross join generate_series(slips.first, slips.last) as position
        ) as slip_tokens
            on
                chunked.place_id = slip_tokens.place_id
                and chunked.column_level = slip_tokens.column_level
                and chunked.segment = slip_tokens.segment
                and chunked.position = slip_tokens.position
    ) as words
    group by words.place_id, words.column_level, words.segment, words.chunk_start
),

-- The levels that a name without a type may be read at, the nearest first.
levels (column_level, level, rank) as (
    values
    ('regency', 'regency', 1), ('regency', 'district', 2), ('regency', 'village', 2),
    ('district', 'district', 1), ('district', 'regency', 2), ('district', 'village', 3),
    ('village', 'village', 1), ('village', 'district', 2), ('village', 'regency', 3)
),

found as (
    select
        hits.place_id,
        hits.column_level,
        hits.segment,
        hits.first,
        hits.last,
        hits.type,
        hits.span_key as name_key,
        hits.is_everyday,
        hits.is_high,
        0 as distance,
        chunks.unread_count = 0 and chunks.hit_count = 1 as is_alone,
        chunks.unread_count = 0 as is_whole
    from hits
    inner join chunks
        on
            hits.place_id = chunks.place_id
            and hits.column_level = chunks.column_level
            and hits.segment = chunks.segment
            and hits.first between greatest(chunks.chunk_start, 1) and chunks.last
    union all
    select
        slips.place_id,
        slips.column_level,
        slips.segment,
        slips.first,
        slips.last,
        slips.type,
        slips.name_key,
        false as is_everyday,
        false as is_high,
        slips.distance,
        chunks.unread_count = chunks.slip_count and chunks.hit_count = 0 as is_alone,
        chunks.unread_count = chunks.slip_count as is_whole
    from slips
    inner join chunks
        on
            slips.place_id = chunks.place_id
            and slips.column_level = chunks.column_level
            and slips.segment = chunks.segment
            and slips.first between greatest(chunks.chunk_start, 1) and chunks.last
),

leveled as materialized (
    select
        found.*,
        names.level,
        names.is_here,
        names.regency_code,
        names.district_code,
        names.village_code,
        found.distance * 10 + case when found.type is null or names.level = 'outside' then coalesce(levels.rank, 1) else 1 end as rank
    from found
    inner join names on found.name_key = names.name_key
    left join levels on found.column_level = levels.column_level and names.level = levels.level
    where
        coalesce(found.type, '') not in ('street', 'hamlet')
        and case
            when found.type is null or names.level = 'outside' then true
            -- 'Kab. Manggar' is Manggar, 'Kota Sungailiat' a town; 'Kota Bangka' is nothing.
            when found.type = 'regency' then names.level in ('regency', 'district')
            when found.type = 'city'
                then names.level = 'district' or (names.level = 'regency' and names.regency_code ~ '^\d\d\.[7-9]')
            when found.type = 'district' then names.level = 'district'
            when found.type = 'village'
                then
                    names.level = 'village'
                    or (names.level = 'district' and not names.is_village)
            else false
        end
),

-- A region elsewhere. A short name counts where it stands alone or has a type; one that a region here
-- has too only with a type.
outside as materialized (
    select distinct
        hits.place_id
    from leveled as hits
    where
        hits.level = 'outside'
        and hits.distance = 0
        and (
            hits.type in ('regency', 'city', 'province')
            or (
                coalesce(hits.type, '') <> 'village'
                and (length(hits.name_key) >= 6 or hits.is_whole)
                and not hits.is_here
            )
        )
),

weighed as materialized (
    select
        named_places.*,
        min(named_places.distance) filter (where named_places.level = 'outside') over one_part as outside_distance,
        min(named_places.regency_code) over one_part = max(named_places.regency_code) over one_part as is_one_regency,
        length(named_places.name_key) as size
    from leveled as named_places
    where named_places.level in ('regency', 'district', 'village', 'outside')
    window one_part as (
        partition by named_places.place_id, named_places.column_level, named_places.segment, named_places.first
    )
),

-- Codes: digits only, so that '19.05', 1905 and '1905' are one; a code column may hold the longer
-- code of a district or village. Without a scheme, dots are Kemendagri's notation and digits have
-- their length's.
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
        1 as strength,
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

every_reading as materialized (
    select
        place_id,
        column_level || '/' || segment || '/' || first as part,
        case
            when distance = 0 and is_high and (type is not null or not is_everyday or is_whole) then 1
            when distance = 0 and type = 'village' then 1
            when
                distance = 0 and is_alone and type is null
                and (column_level = 'village' or not is_everyday)
                then 1
            when distance = 0 and not is_everyday and size >= 5 and is_one_regency then 2
            when
                distance > 0 and is_whole and size >= 6 and is_one_regency
                and (type is not null or is_alone or level <> 'village')
                then 1
            else 3
        end as strength,
        rank,
        case when distance > 0 then 'slip' else level || '_name' end as method,
        regency_code,
        district_code,
        village_code
    from weighed
    where level <> 'outside' and (distance = 0 or outside_distance is null or distance < outside_distance)
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

-- Strength 1 decides; 2 decides where nothing stronger was read; 3 only chooses among what is left.
deciding as (
    select
        readings.*,
        dense_rank() over (partition by place_id order by part) as part_number
    from readings
    where strength < 3 and strength = strongest
),

-- In how many parts a regency is read, and the number of the last of them.
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

-- What a place says and nobody could read.
unread as materialized (
    select
        chunks.place_id,
        bool_or(
            chunks.column_level = 'regency' and chunks.unread_count > 0 and read_cells.place_id is null
        ) as is_regency_cell,
        bool_or(
            chunks.chunk_type in ('regency', 'city') and chunks.chunk_start > 0 and chunks.is_type_unread
        ) as is_regency_typed,
        bool_or(
            (chunks.chunk_type = 'district' and chunks.chunk_start > 0 and chunks.is_type_unread)
            or (chunks.column_level = 'district' and chunks.unread_count > 0 and read_cells.place_id is null)
        ) as is_district
    from chunks
    left join (
        select distinct
            place_id,
            split_part(part, '/', 1) as column_level
        from readings
    ) as read_cells
        on chunks.place_id = read_cells.place_id and chunks.column_level = read_cells.column_level
    group by chunks.place_id
),

-- 'Bangka Barat/Selatan' are two
directions as (
    select place_id
    from runs
    where column_level = 'regency' and array_to_string(words, '') ~ '^(barat|selatan|tengah|timur)$'
),

decided as (
    select
        places.*,
        case
            when agreed.place_id is null then null
            when
                outside.place_id is not null
                or directions.place_id is not null
                or unread.is_regency_typed
                or unread.is_regency_cell
                or (unread.is_district and agreed.evidence >= 5)
                then '{}'
            else coalesce(agreed.nearest_codes, agreed.any_codes, '{}')
        end as regency_codes
    from places
    left join agreed on places.place_id = agreed.place_id
    left join outside on places.place_id = outside.place_id
    left join directions on places.place_id = directions.place_id
    left join unread on places.place_id = unread.place_id
),

located as materialized (
    select
        decided.*,
        votes.regency_code as found_regency_code,
        case
            when votes.regency_code is not null
                then (
                    array['regency_code', 'regency_name', 'district_name', 'bare_code', 'village_name', 'slip']
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

-- The one district that every strong part means which names a district or village of the regency;
-- weak parts choose where that leaves several or none.
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
            select distinct place_id from district_readings where not is_weak
        ) as strong
            on votes.place_id = strong.place_id
        where
            case
                when votes.is_weak then strong.place_id is null
                else votes.candidate_count = 1 or weak.place_id is not null
            end
    ) as candidates
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
        when located.location_method = 'village_name' then 0.7
        else 0.6
    end as location_confidence
from located
left join districts on located.place_id = districts.place_id
