{{ config(tags=['static'], meta={'published_as': 'view'}) }}
select
    weeks.week_id,
    weeks.week_start_date,
    weeks.week_end_date,
    campaign.stage_code is not null as is_campaign,
    1 + (weeks.week_start_date - date_trunc('week', campaign.start_date::timestamp)::date) / 7
        as campaign_week_number
from (
    select distinct
        week_id,
        week_start_date,
        week_start_date + 6 as week_end_date
    from {{ ref('dim_date') }}
) as weeks
left join {{ ref('dim_stage') }} as campaign
    on
        campaign.stage_code = 'KAMPANYE'
        and weeks.week_end_date >= campaign.start_date
        and weeks.week_start_date <= campaign.end_date
