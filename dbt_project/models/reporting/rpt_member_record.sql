{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[{'columns': ['regency_code', 'week_id']}],
    meta={'scope': 'week'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    report_id as member_id,
    record_id,
    regency_code,
    week_id
from {{ ref('int_reports__located') }}
where {{ in_scope('regency_code, week_id', 'week') }}
union all
select
    activity_id as member_id,
    record_id,
    regency_code,
    week_id
from {{ ref('int_activities__located') }}
where record_kind in ('LHP', 'PREV') and {{ in_scope('regency_code, week_id', 'week') }}
union all
-- A row that says "nothing to report" is in no fact, but it is how a district delivered.
select
    district_code || '/' || week_id as member_id,
    record_id,
    regency_code,
    week_id
from {{ ref('int_activities__located') }}
where district_code is not null and is_recap and {{ in_scope('regency_code, week_id', 'week') }}
