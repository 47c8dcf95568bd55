{{ config(tags=['static']) }}
select
    target_group_code,
    target_group_name,
    sort_order
from {{ ref('target_group') }}
