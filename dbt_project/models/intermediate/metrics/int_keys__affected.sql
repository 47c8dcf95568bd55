{{ config(indexes=[
    {'columns': ['regency_code', 'date_day'], 'unique': true},
    {'columns': ['regency_code', 'week_id']},
], post_hook='analyze {{ this }}') }}
-- The regencies and days on which changed deliveries counted before or count now, and the days of every
-- regency in weeks that ended, entered the span or left it. Empty in a full build.
with spans as (
    select
        build_id,
        week_id,
        is_ended
    from {{ ref('int_keys__previous') }}
    where regency_code is null and reason_code is null
),

seen as (
    select
        week_id,
        is_ended
    from spans
    union all
    select
        week_id,
        is_ended
    from {{ ref('int_weeks__spanned') }}
),

-- weeks spanned, or ended, in one state and not in the other
changed_weeks as (
    select distinct states.week_id
    from (
        select week_id
        from seen
        where week_id is not null
        group by week_id, is_ended
        having count(*) <= (select count(distinct build_id) from spans)
    ) as states
),

cells as (
    select
        regency_code,
        date_day
    from {{ ref('int_keys__previous') }}
    where date_day is not null
    union
    select
        regency_code,
        received_date as date_day
    from {{ ref('int_reports__located') }}
    where report_id in (select delivery_id from {{ ref('stg_intake__changes') }})
    union
    select
        regency_code,
        activity_date as date_day
    from {{ ref('int_activities__located') }}
    where activity_id in (select delivery_id from {{ ref('stg_intake__changes') }})
    union
    select
        regencies.regency_code,
        to_date(changed_weeks.week_id, 'IYYY"-W"IW') + days.number as date_day
    from {{ ref('regency') }} as regencies
    cross join changed_weeks
    cross join generate_series(0, 6) as days (number)
)

select
    regency_code,
    date_day,
    {{ week_id('date_day') }} as week_id
from cells
where {{ 'true' if is_increment() else 'false' }}
