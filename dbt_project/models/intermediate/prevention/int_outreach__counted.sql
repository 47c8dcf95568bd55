-- Which target groups each regency's offices met, by week that has ended, zeros present.
with weeks as (
    {{ ended_weeks() }}
),

met as (
    select
        ended.week_id,
        terms.regency_code,
        terms.code as target_group_code,
        count(*) filter (where ended.number = weeks.number) as activity_count,
        sum(terms.participant_count) filter (where ended.number = weeks.number) as participant_count,
        count(*) as last_4_weeks_activity_count
    from {{ ref('int_activity_terms__classified') }} as terms
    inner join weeks on terms.week_id = weeks.week_id
    inner join weeks as ended on ended.number - weeks.number between 0 and 3
    where terms.vocabulary = 'target_group'
    group by ended.week_id, terms.regency_code, terms.code
)

select
    regencies.regency_code,
    target_groups.target_group_code,
    weeks.week_id,
    coalesce(met.activity_count, 0) as activity_count,
    met.participant_count,
    coalesce(met.last_4_weeks_activity_count, 0) as last_4_weeks_activity_count,
    met.week_id is not null as is_met
from {{ ref('regency') }} as regencies
cross join {{ ref('target_group') }} as target_groups
cross join weeks
left join met
    on
        weeks.week_id = met.week_id
        and regencies.regency_code = met.regency_code
        and target_groups.target_group_code = met.target_group_code
