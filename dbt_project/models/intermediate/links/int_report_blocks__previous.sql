{{ config(
    materialized='incremental',
    unique_key=['build_id'],
    indexes=[{'columns': ['build_id']}],
    meta={'affected_keys': 'stale'}
) }}
-- The blocks of changed deliveries before an increment replaces them. A failed build may have replaced
-- them, so the rows are kept until a build of all models has succeeded.
{% if is_incremental() %}
select
    {{ of_running_build('build_id', 0) }}::bigint as build_id,
    report_id,
    block_id
from {{ source('previous', 'int_report_blocks__assigned') }}
where report_id in (select delivery_id from {{ ref('stg_intake__changes') }})
{% else %}
-- depends_on: {{ ref('stg_intake__changes') }}
select
    null::bigint as build_id,
    null::text as report_id,
    null::text as block_id
where false
{% endif %}
