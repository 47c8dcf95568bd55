{{ config(tags=['static']) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    campaign_context_code,
    campaign_context_name,
    sort_order
from {{ ref('campaign_context') }}
