{{ config(
    indexes=[{'columns': ['delivery_id'], 'unique': true}],
    post_hook="analyze {{ this }}"
) }}
-- The deliveries with a version landed, or a person's decision made, since the last successful build of all
-- models: an increment recomputes them. Empty in a full build, which does not read it.
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
