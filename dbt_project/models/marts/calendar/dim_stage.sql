{{ config(tags=['static']) }}
select
    stage_code,
    stage_name,
    stage_name_en,
    start_date,
    end_date,
    precedence
from {{ ref('stage') }}
