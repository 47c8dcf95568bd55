-- A channel that is added needs no full build (lumbung.warehouse.build), so increments publish this one.
select
    channel,
    title as channel_name,
    kind as channel_kind
from {{ source('reference', 'channel') }}
