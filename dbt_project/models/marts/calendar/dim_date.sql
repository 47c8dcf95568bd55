select
    date_day,
    week_id,
    week_start_date,
    stage_code
from {{ ref('int_calendar__staged') }}
