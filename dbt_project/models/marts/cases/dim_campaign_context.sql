{{ config(tags=['static']) }}
select
    campaign_context_code,
    campaign_context_name,
    campaign_context_name_en,
    sort_order
from {{ ref('campaign_context') }}
