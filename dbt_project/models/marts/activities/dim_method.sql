{{ config(tags=['static']) }}
select
    method_code,
    method_name,
    method_name_en,
    sort_order
from {{ ref('campaign_method') }}
