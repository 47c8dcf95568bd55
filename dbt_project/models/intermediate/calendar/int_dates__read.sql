{{ config(
    materialized='incremental',
    incremental_strategy='append',
    indexes=[{'columns': ['date_raw'], 'unique': true}]
) }}
-- Every distinct date text of any channel, parsed once by ops.read_date: a few hundred spellings
-- instead of millions of cells. A text that is neither blank nor a day of the calendar has a null
-- date_day. An increment adds the new texts.
with texts as (
    select distinct written.date_raw
    from {{ ref('stg_intake__records') }} as records
    cross join lateral (
        values
        {%- for field in canonical_fields() if field.parser == 'date' %}
        (records.{{ field.column }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as written (date_raw)
    where
        written.date_raw is not null
        and {{ is_unread('written.date_raw', 'date_raw') }}
)

select
    texts.date_raw,
    {{ is_blank('texts.date_raw') }} as is_blank,
    readings.date_day,
    coalesce(readings.is_weekday_wrong, false) as is_weekday_wrong
from texts
cross join lateral ops.read_date(texts.date_raw) as readings
