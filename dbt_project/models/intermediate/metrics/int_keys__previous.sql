{{ config(
    materialized='incremental',
    unique_key=['build_id'],
    indexes=[{'columns': ['build_id']}],
    meta={'affected_keys': 'stale'}
) }}
-- Where changed deliveries counted before an increment replaces them: regency and day, or the reason
-- and week of their exclusion; and the weeks that were spanned, with whether they had ended. Read from
-- the state of the previous build, which later models replace. A failed build may have replaced it, so
-- the rows are kept until a build of all models has succeeded.
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
-- keeps a row for a build before which no week was spanned
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
