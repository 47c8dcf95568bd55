{{ config(tags=['static']) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    issue_code,
    issue_name,
    sort_order
from {{ ref('issue') }}
