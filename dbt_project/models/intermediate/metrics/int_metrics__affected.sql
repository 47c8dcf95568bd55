{{ config(
    indexes=[{'columns': ['regency_code', 'week_id'], 'unique': true}],
    post_hook='analyze {{ this }}'
) }}
-- The regions and weeks whose metrics may have changed: for a regency from its first affected week on,
-- because of the metrics to date, for a province and the country from the first affected week of any of
-- its regencies. Empty in a full build.
with affected as (
    select
        regency_code,
        week_id
    from {{ ref('int_keys__affected') }}
    where week_id >= {{ week_id(campaign_start(ref('stage'))) }}
),

firsts as (
    select
        regency_code,
        min(week_id) as first_week_id
    from affected
    group by regency_code
    union all
    select
        members.region_code as regency_code,
        min(affected.week_id) as first_week_id
    from affected
    inner join {{ ref('int_region_members__listed') }} as members
        on affected.regency_code = members.regency_code
    group by members.region_code
),

weeks as (
    select week_id from {{ ref('int_weeks__spanned') }}
    union
    select week_id from {{ ref('int_keys__affected') }}
)

select
    firsts.regency_code,
    weeks.week_id
from firsts
inner join weeks on firsts.first_week_id <= weeks.week_id
