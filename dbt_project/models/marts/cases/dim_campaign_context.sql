{{ config(tags=['static']) }}
select
    campaign_context_code,
    campaign_context_name,
    sort_order
from {{ ref('campaign_context') }}
