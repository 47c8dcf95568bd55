{{ config(tags=['static']) }}
select
    issue_code,
    issue_name,
    sort_order
from {{ ref('issue') }}
