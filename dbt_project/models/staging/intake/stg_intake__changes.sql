{{ config(
    indexes=[{'columns': ['delivery_id'], 'unique': true}],
    post_hook="analyze {{ this }}"
) }}
-- The deliveries of which a version was landed since the last whole build that succeeded, or on which a
-- person decided: what an increment computes anew. Empty in a full build, which asks nobody what changed.
select distinct
    md5(channel || '/' || source_id) as delivery_id,
    channel,
    source_id,
    source_key
from {{ source('raw', 'record') }}
where {% if is_increment() %}{{ is_new('record_id') }}{% else %}false{% endif %}
union
select
    md5(channel || '/' || source_id) as delivery_id,
    channel,
    source_id,
    source_key
from {{ source('ops', 'exclusion_decision') }}
where {% if is_increment() %}{{ is_decided_now() }}{% else %}false{% endif %}
