-- The ISO weeks from the first to the last with a record that counts. Figures begin with the
-- campaign's first week; a register may hold cases from before it.
with counted as (
    select
        min(counted_date) as first_date,
        max(counted_date) as last_date
    from {{ ref('int_records__typed') }}
    where set_apart_code is null
)

-- depends_on: {{ ref('int_cells__left') }}
select distinct
    calendar.week_id,
    calendar.week_start_date,
    calendar.week_start_date + 6 >= date '{{ var("campaign_start") }}' as is_campaign
from {{ ref('int_calendar__staged') }} as calendar
cross join counted
where
    calendar.date_day between least(counted.first_date, date '{{ var("campaign_start") }}')
    and counted.last_date
