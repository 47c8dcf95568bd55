{{ config(
    materialized='incremental',
    incremental_strategy='append',
    indexes=[{'columns': ['date_raw'], 'unique': true}]
) }}
-- Every date text that any register holds, read once: the doubtful work is done on the few hundred
-- distinct spellings, not on millions of cells. A text that is neither blank nor a day of the
-- calendar stays here with date_day null. An increment adds the texts that are new.
with texts as (
    select distinct written.date_raw
    from {{ ref('stg_intake__records') }} as records
    cross join lateral (
        values
        (records.received_date_raw),
        (records.known_date_raw),
        (records.occurred_date_raw),
        (records.activity_date_raw),
        (records.period_date_raw)
    ) as written (date_raw)
    where
        written.date_raw is not null
        and {{ is_unread('written.date_raw', 'date_raw') }}
),

cleaned as (
    -- 'Hari Rabu, tgl. 14 Pebruari 2024 pukul 10.15 WIB' -> '14 pebruari 2024'
    select
        date_raw,
        {{ is_blank('date_raw') }} as is_blank,
        btrim(
            regexp_replace(
                regexp_replace(
                    lower(date_raw),
                    '^\s*(hari\s+)?((senin|selasa|rabu|kamis|jum[''’]?at|sabtu|minggu|ahad)\M[\s,/]*)?'
                    || '((tanggal|tgl)\M[\s.:]*)?',
                    ''
                ),
                '[\s,]+((pukul|pkl|jam)\.?\s*)?\d{1,2}[.:]\d{2}([.:]\d{2})?(\s*wib)?\s*$',
                ''
            ),
            ' .,'
        ) as text
    from texts
),

matched as (
    select
        date_raw,
        is_blank,
        text,
        regexp_match(text, '^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t ]\d.*)?$') as iso,
        regexp_match(
            text, '^(\d{1,2})[\s./-]+(\d{1,2}|[a-z]+)\.?[\s./,-]+(?:tahun\s+)?[''’]?(\d{4}|\d{2})$'
        ) as single,
        regexp_match(
            text,
            '^(\d{1,2})(?:\s+([a-z]+))??(?:\s+(\d{4}))?'
            || '\s*(?:s\s*[./]?\s*d\.?|sampai(?:\s+dengan)?|hingga|-|–)\s*'
            || '\d{1,2}\s+([a-z]+)\s+(\d{4}|\d{2})$'
        ) as span
    from cleaned
    where not is_blank
),

parts as (
    select
        date_raw,
        case
            -- An instant with a zone is the day it was in Jakarta; '10:15-12:00' has none.
            when
                text ~ (
                    '^\d{4}-\d{1,2}-\d{1,2}(t\d{1,2}:\d{2}| +\d{1,2}:\d{2}:\d{2})[\d:.]*'
                    || ' *(z|utc|gmt|[+-]\d{2}(:?\d{2})?)$'
                )
                and pg_input_is_valid(text, 'timestamptz')
                then {{ jakarta_date('text::timestamptz') }}
            -- A spreadsheet's day number, counted from 1899-12-30.
            when text ~ '^[2-7]\d{4}(\.\d+)?$' then date '1899-12-30' + trunc(text::numeric)::integer
        end as direct_date,
        coalesce(iso[1], span[3], span[5], single[3]) as year_text,
        coalesce(iso[2], span[2], span[4], single[2]) as month_text,
        coalesce(iso[3], span[1], single[1]) as day_text
    from matched
),

numbered as (
    select
        parts.date_raw,
        parts.direct_date,
        case when length(parts.year_text) = 2 then '20' else '' end || parts.year_text as year_text,
        coalesce(months.month_number::text, parts.month_text) as month_text,
        parts.day_text
    from parts
    left join {{ ref('map_month') }} as months on parts.month_text = months.term
)

select
    cleaned.date_raw,
    cleaned.is_blank,
    coalesce(
        numbered.direct_date,
        case
            when numbered.month_text ~ '^\d+$'
                then {{ to_date('numbered.year_text', 'numbered.month_text', 'numbered.day_text') }}
        end
    ) as date_day
from cleaned
left join numbered on cleaned.date_raw = numbered.date_raw
