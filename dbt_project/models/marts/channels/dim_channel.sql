{{ config(tags=['static']) }}
select
    channel,
    title as channel_name,
    kind as channel_kind
from {{ source('reference', 'channel') }}
