{{ config(
    materialized='incremental',
    incremental_strategy='append',
    indexes=[{'columns': ['place_id']}],
    pre_hook="set local enable_nestloop = off"
) }}
-- The possible meanings of the words of every way of writing a place: one row per region name that a
-- part is read as, and one per finding that leaves the place unresolved whatever else is read (method
-- outside, two_directions, unread_regency, unread_district; strength is null). Rules:
-- docs/explanation/places.md. Strength 1 decides; 2 decides where nothing stronger was read; 3 only
-- chooses among the remaining regions. An increment adds the new ways of writing.
with tokens as materialized (
    select *
    from {{ ref('int_place_words__split') }}
    where {{ is_unread('place_id', 'place_id') }}
),

names as (
    select * from {{ ref('int_place_names__listed') }}
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

-- Up to four consecutive words, with the type before them. 'Jl. Raya Koba' is a street, as 'Jl. Koba' is.
spans as (
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

named as (
    select
        spans.*,
        bool_or(names.is_beginning) as is_beginning,
        bool_or(names.is_everyday) as is_everyday,
        bool_or(names.level in ('regency', 'district')) as is_high
    from spans
    inner join names
        on spans.span_key = names.name_key and {{ province_of('spans.place_id') }} = names.province_code
    group by
        {{ segment_of('spans') }},
        spans.first, spans.last, spans.span_key, spans.type
),

longest as (
    select named.*
    from named
    where not exists (
        select 1
        from named as longer
        where
            {{ same_segment('longer', 'named') }}
            and longer.first <= named.first
            and longer.last >= named.last
            and longer.last - longer.first > named.last - named.first
    )
),

-- A prefix of longer names before an unknown word is not read as a name: 'Bangka Utara'.
hits as (
    select longest.*
    from longest
    left join tokens
        on
            {{ same_segment('longest', 'tokens') }}
            and longest.last + 1 = tokens.position
            and tokens.type is null
            and not tokens.is_plain
    left join longest as next_one
        on
            {{ same_segment('longest', 'next_one') }}
            and longest.last + 1 = next_one.first
    group by
        {{ segment_of('longest') }}, longest.first, longest.last,
        longest.span_key, longest.type, longest.is_beginning, longest.is_everyday, longest.is_high
    having
        not longest.is_beginning
        or coalesce(longest.type, '') in ('district', 'village')
        or count(tokens.place_id) = 0
        or count(next_one.place_id) > 0
),

-- Words with their chunk: a chunk begins at a word of role type that is not part of a name.
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
        group by {{ segment_of('hits') }}, position
    ) as hit_tokens
        on
            {{ same_segment('tokens', 'hit_tokens') }}
            and tokens.position = hit_tokens.position
),

chunked as (
    select
        started.*,
        first_value(started.type) over (
            partition by {{ segment_of('started') }}, started.chunk_start
            order by started.position
        ) as chunk_type
    from (
        select
            covered.*,
            coalesce(
                max(case when covered.is_boundary then covered.position end) over (
                    partition by {{ segment_of('covered') }}
                    order by covered.position
                ),
                0
            ) as chunk_start
        from covered
    ) as started
),

-- Runs of words that are not a name, compared with similar names (macro blocks).
unread_spans as (
    select spans.*
    from spans
    inner join chunked
        on
            {{ same_segment('spans', 'chunked') }}
            and chunked.position between spans.first and spans.last
    where length(spans.span_key) between 4 and 60
    group by
        {{ segment_of('spans') }},
        spans.first, spans.last, spans.span_key, spans.type
    having
        not bool_or(chunked.is_boundary or (chunked.hit_first is not null and not chunked.is_everyday_hit))
        and bool_or(chunked.hit_first is null and not chunked.is_plain)
        and not bool_or(chunked.word ~ '^[0-9]+$')
        and coalesce(spans.type, '') not in ('street', 'hamlet')
),

span_keys as (
    select distinct
        {{ province_of('place_id') }} as province_code,
        span_key,
        {{ skeleton('span_key') }} as skeleton
    from unread_spans
),

name_keys as (
    select
        province_code,
        name_key,
        skeleton,
        is_here
    from names
    where length(name_key) >= 4
    group by province_code, name_key, skeleton, is_here
),

-- An inserted, omitted, replaced or swapped letter counts one; long names allow two.
near as materialized (
    select
        province_code,
        span_key,
        name_key,
        is_here,
        distance
    from (
        select
            measured.province_code,
            measured.span_key,
            measured.name_key,
            measured.is_here,
            case
                when measured.edits = 0 then 0
                when measured.span_skeleton = measured.name_skeleton and length(measured.span_skeleton) >= 5
                    then 1
                when
                    measured.edits = 2
                    and {{ letters('measured.span_key') }} = {{ letters('measured.name_key') }}
                    then 1
                when
                    length(measured.span_key) >= 6
                    and starts_with(measured.name_key, measured.span_key)
                    and 2 * length(measured.span_key) >= length(measured.name_key)
                    then least(measured.edits, 2)
                else measured.edits
            end as distance,
            case when least(length(measured.span_key), length(measured.name_key)) >= 8 then 2 else 1 end
                as allowed
        from (
            select distinct
                spans.province_code,
                spans.span_key,
                spans.skeleton as span_skeleton,
                names.name_key,
                names.is_here,
                case when names.is_here then names.skeleton end as name_skeleton,
                levenshtein(spans.span_key, names.name_key) as edits
            from (
                select
                    span_keys.*,
                    unnest({{ blocks('span_key', 'skeleton') }}) as block
                from span_keys
            ) as spans
            inner join (
                select
                    name_keys.*,
                    unnest({{ blocks('name_key', 'skeleton') }}) as block
                from name_keys
            ) as names on spans.block = names.block and spans.province_code = names.province_code
        ) as measured
    ) as judged
    where distance between 1 and allowed
),

guesses as (
    select
        spans.*,
        near.name_key,
        near.distance,
        min(near.distance) over one_span + case when bool_or(near.is_here) over one_span then 0 else 9 end
            as best_distance
    from unread_spans as spans
    inner join near
        on spans.span_key = near.span_key and {{ province_of('spans.place_id') }} = near.province_code
    window one_span as (
        partition by {{ segment_of('spans') }}, spans.first, spans.last
    )
),

-- Of overlapping runs: first those that may mean a region here, then the fewest wrong letters, then the
-- longest.
slips as (
    select guesses.*
    from guesses
    where not exists (
        select 1
        from guesses as better
        where
            {{ same_segment('better', 'guesses') }}
            and better.first <= guesses.last
            and better.last >= guesses.first
            and (better.best_distance, better.first - better.last, better.first)
            < (guesses.best_distance, guesses.first - guesses.last, guesses.first)
    )
),

-- How much of a chunk is read: as names, as misspelt names, or not at all.
chunks as (
    select
        words.place_id,
        words.column_level,
        words.segment,
        words.chunk_start,
        min(words.chunk_type) as chunk_type,
        max(words.position) as last,
        count(distinct words.hit_first) as hit_count,
        count(*) filter (where words.is_plain and words.hit_first is null and not words.is_boundary)
            as plain_count,
        count(*) filter (where words.is_unread) as unread_count,
        count(*) filter (where words.is_unread and words.is_slip) as slip_count,
        -- the first word after the type, as in 'Kec. Entah'
        bool_or(words.is_unread and not words.is_slip and words.position = words.chunk_start + 1)
            as is_type_unread
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
                {{ same_segment('chunked', 'slip_tokens') }}
                and chunked.position = slip_tokens.position
    ) as words
    group by {{ segment_of('words') }}, words.chunk_start
),

-- The levels at which a name without a type may be read, the nearest first.
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
        chunks.unread_count = 0 as is_whole,
        chunks.unread_count + chunks.plain_count = 0 as is_bare
    from hits
    inner join chunks
        on
            {{ same_segment('hits', 'chunks') }}
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
        chunks.unread_count = chunks.slip_count as is_whole,
        false as is_bare
    from slips
    inner join chunks
        on
            {{ same_segment('slips', 'chunks') }}
            and slips.first between greatest(chunks.chunk_start, 1) and chunks.last
),

leveled as (
    select
        found.*,
        names.level,
        names.is_here,
        names.is_everyday as is_everyday_name,
        names.regency_code,
        names.district_code,
        names.village_code,
        found.distance * 10
        + case when found.type is null and names.level <> 'outside' then coalesce(levels.rank, 1) else 1 end
            as rank
    from found
    inner join names
        on found.name_key = names.name_key and {{ province_of('found.place_id') }} = names.province_code
    left join levels on found.column_level = levels.column_level and names.level = levels.level
    inner join runs on {{ same_segment('found', 'runs') }}
    where
        coalesce(found.type, '') not in ('street', 'hamlet')
        -- 'di luar Kab. Bangka', 'bukan Koba'
        and not runs.words[greatest(found.first - 3, 1):found.first - 1] && '{bukan,kecuali,luar,selain}'
        and case
            when found.type is null or names.level = 'outside' then true
            -- 'Kab. Manggar' means Manggar, 'Kota Sungailiat' the town; 'Kota Bangka' has no meaning.
            when found.type = 'regency' then names.level in ('regency', 'district')
            when found.type = 'city'
                then
                    names.level = 'district'
                    or (names.level = 'regency' and names.regency_code ~ '^\d\d\.[7-9]')
            when found.type = 'district' then names.level = 'district'
            when found.type = 'village'
                then
                    names.level = 'village'
                    or (names.level = 'district' and not names.is_village)
            else false
        end
),

-- A region elsewhere. A short name counts only if it is alone or has a type; a name that a region here also
-- has, only with a type.
outside as materialized (
    select distinct hits.place_id
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
        min(named_places.distance) filter (where named_places.level = 'outside') over one_part
            as outside_distance,
        min(named_places.regency_code) over one_part = max(named_places.regency_code) over one_part
            as is_one_regency,
        length(named_places.name_key) as size
    from leveled as named_places
    where named_places.level in ('regency', 'district', 'village', 'outside')
    window one_part as (
        partition by
            {{ segment_of('named_places') }}, named_places.first
    )
),

every_reading as (
    select
        place_id,
        column_level || '/' || segment || '/' || first as part,
        case
            when distance = 0 and is_high and (type is not null or not is_everyday or is_bare) then 1
            when distance = 0 and type = 'village' then 1
            when
                distance = 0 and is_alone and type is null
                and (column_level = 'village' or not is_everyday)
                then 1
            when distance = 0 and not is_everyday and size >= 5 and is_one_regency then 2
            when
                distance > 0 and is_whole and size >= 6 and is_one_regency and not is_everyday_name
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
    where
        level <> 'outside'
        and (distance = 0 or outside_distance is null or distance < outside_distance)
),

-- Parts of a place that could not be read.
unread as (
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
            or (
                chunks.column_level = 'district' and chunks.unread_count > 0
                and read_cells.place_id is null
            )
        ) as is_district
    from chunks
    left join (
        select distinct
            place_id,
            split_part(part, '/', 1) as column_level
        from every_reading
    ) as read_cells
        on chunks.place_id = read_cells.place_id and chunks.column_level = read_cells.column_level
    group by chunks.place_id
),

-- 'Bangka Barat/Selatan' names two regencies
findings as (
    select
        place_id,
        'outside' as method
    from outside
    union
    select
        place_id,
        'two_directions' as method
    from runs
    where column_level = 'regency' and array_to_string(words, '') ~ '^(barat|selatan|tengah|timur)$'
    union
    select
        place_id,
        'unread_regency' as method
    from unread
    where is_regency_cell or is_regency_typed
    union
    select
        place_id,
        'unread_district' as method
    from unread
    where is_district
)

select * from every_reading
union all
select
    place_id,
    'place' as part,
    null as strength,
    null as rank,
    method,
    null as regency_code,
    null as district_code,
    null as village_code
from findings
