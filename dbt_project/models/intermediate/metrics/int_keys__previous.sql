{{ config(
    materialized='incremental',
    unique_key=['build_id'],
    indexes=[{'columns': ['build_id']}],
    meta={'affected_keys': 'stale'}
) }}
-- What changed deliveries counted in before an increment replaces them: the day of their regency, or
-- the reason and week for which they were excluded; and the weeks that were spanned, ended or not.
-- Read from the state of the build before, which the models behind this one replace: a build that
-- fails half-way has replaced it, so the rows stay until a whole build has succeeded.
{% if is_incremental() %}
{%- set changed = 'select delivery_id from ' ~ ref('stg_intake__changes') %}
{%- set build_id = of_running_build('build_id', 0) ~ '::bigint as build_id' %}
select
    {{ build_id }},
    regency_code,
    received_date as date_day,
    null::text as channel,
    null::text as reason_code,
    null::text as week_id,
    null::boolean as is_ended
from {{ source('previous', 'int_reports__located') }}
where report_id in ({{ changed }})
union
select
    {{ build_id }},
    regency_code,
    activity_date as date_day,
    null as channel,
    null as reason_code,
    null as week_id,
    null as is_ended
from {{ source('previous', 'int_activities__located') }}
where activity_id in ({{ changed }})
union
select
    {{ build_id }},
    null as regency_code,
    null as date_day,
    channel,
    reason_code,
    coalesce(week_id, '') as week_id,
    null as is_ended
from {{ source('previous', 'int_records__excluded') }}
where delivery_id in ({{ changed }})
union
select
    {{ build_id }},
    null as regency_code,
    null as date_day,
    null as channel,
    null as reason_code,
    week_id,
    is_ended
from {{ source('previous', 'int_weeks__spanned') }}
union
-- also a build before which no week was spanned
select
    {{ build_id }},
    null as regency_code,
    null as date_day,
    null as channel,
    null as reason_code,
    null as week_id,
    null as is_ended
{% else %}
-- depends_on: {{ ref('stg_intake__changes') }}
select
    null::bigint as build_id,
    null::text as regency_code,
    null::date as date_day,
    null::text as channel,
    null::text as reason_code,
    null::text as week_id,
    null::boolean as is_ended
where false
{% endif %}
