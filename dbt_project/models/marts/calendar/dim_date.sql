-- depends_on: {{ ref('int_build__checked') }}
select
    date_day,
    week_id,
    week_start_date,
    stage_code
from {{ ref('int_calendar__staged') }}
