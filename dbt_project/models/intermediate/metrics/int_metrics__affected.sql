{{ config(
    indexes=[{'columns': ['regency_code', 'week_id'], 'unique': true}],
    post_hook='analyze {{ this }}'
) }}
-- The regencies and weeks whose metrics may have changed: for a regency from its first affected week
-- on, because of the metrics to date, for the province from the first affected week of any. Empty in a
-- full build.
with firsts as (
    select
        coalesce(regency_code, '{{ var("province_code") }}') as regency_code,
        min(week_id) as first_week_id
    from {{ ref('int_keys__affected') }}
    where week_id >= {{ week_id(campaign_start(ref('stage'))) }}
    group by grouping sets ((regency_code), ())
    having count(*) > 0
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
