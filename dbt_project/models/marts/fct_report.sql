{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    meta={'scope': 'delivery'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    report_id,
    channel,
    record_kind,
    register_number,
    regency_code,
    district_code,
    occurred_date,
    known_date,
    received_date,
    received_at,
    week_id,
    stage_code,
    status_code,
    registration_outcome,
    non_registration_reason,
    accused_role_code,
    is_late,
    record_id
from {{ ref('int_reports__located') }}
where {{ in_scope('report_id', 'delivery') }}
