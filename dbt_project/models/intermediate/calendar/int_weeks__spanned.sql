-- The ISO weeks from the first to the last with a record that counts, and every campaign week that has
-- begun, even without deliveries. Metrics begin on the campaign's first day and continue after its last
-- day; a register may hold earlier cases. A recap is due for each campaign week that has ended; the current
-- week has no metrics yet.
with counted as (
    select
        min(counted_date) as first_date,
        max(counted_date) as last_date
    from {{ ref('int_records__typed') }}
    where exclusion_code is null
),

campaign as (
    select
        start_date,
        end_date
    from {{ ref('stage') }}
    where stage_code = 'KAMPANYE'
)

-- depends_on: {{ ref('int_keys__previous') }}
select distinct
    calendar.week_id,
    calendar.week_start_date,
    calendar.week_start_date + 6 >= campaign.start_date as has_metrics,
    calendar.week_start_date + 6 >= campaign.start_date
    and calendar.week_start_date <= campaign.end_date as is_campaign,
    calendar.week_start_date + 6 < {{ as_of_date() }} as is_ended
from {{ ref('int_calendar__staged') }} as calendar
cross join counted
cross join campaign
where
    calendar.date_day between least(counted.first_date, campaign.start_date)
    and greatest(counted.last_date, least(campaign.end_date, {{ as_of_date() }} - 1))
