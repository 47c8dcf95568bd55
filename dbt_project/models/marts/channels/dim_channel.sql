{{ config(tags=['static']) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    channel,
    title as channel_name,
    kind as channel_kind
from {{ source('reference', 'channel') }}
