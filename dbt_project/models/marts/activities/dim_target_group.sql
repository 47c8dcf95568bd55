{{ config(tags=['static']) }}
select
    target_group_code,
    target_group_name,
    target_group_name_en,
    sort_order
from {{ ref('target_group') }}
