-- Every day from the first plausible one to two years after the year of the last record, or of the campaign,
-- with its ISO week and its stage. Where stages overlap, the one with the lowest precedence is used.
with bounds as (
    select greatest(max(counted_date), {{ campaign_end(ref('stage')) }}) as last_date
    from {{ ref('int_records__typed') }}
    where exclusion_code is null
),

days as (
    select series.day::date as date_day
    from bounds
    cross join lateral generate_series(
        {{ first_plausible_date() }}::timestamp,
        date_trunc('year', bounds.last_date::timestamp) + interval '3 years - 1 day',
        interval '1 day'
    ) as series (day)
)

select
    days.date_day,
    {{ week_id('days.date_day') }} as week_id,
    date_trunc('week', days.date_day::timestamp)::date as week_start_date,
    stages.stage_code
from days
left join lateral (
    select stage.stage_code
    from {{ ref('stage') }} as stage
    where days.date_day between coalesce(stage.start_date, '-infinity'::date) and stage.end_date
    order by stage.precedence asc, stage.stage_code asc
    limit 1
) as stages on true
