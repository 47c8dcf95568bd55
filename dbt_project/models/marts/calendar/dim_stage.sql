{{ config(tags=['static']) }}
select
    stage_code,
    stage_name,
    start_date,
    end_date,
    precedence
from {{ ref('stage') }}
