{{ config(tags=['static']) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    stage_code,
    stage_name,
    start_date,
    end_date,
    precedence
from {{ ref('stage') }}
