{{ config(tags=['static'], meta={'published_as': 'view'}) }}
select
    recaps.week_id,
    weeks.week_start_date,
    weeks.week_end_date,
    weeks.campaign_week_number,
    {{ place('recaps') }},
    recaps.is_submitted,
    recaps.row_count,
    recaps.event_count,
    recaps.prevention_count,
    recaps.first_received_at,
    recaps.last_received_at
from {{ ref('fct_submission') }} as recaps
{{ join_places('recaps') }}
left join {{ ref('dim_week') }} as weeks on recaps.week_id = weeks.week_id
