{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[
        {'columns': ['regency_code', 'week_id']},
    ],
    meta={'affected_keys': 'week'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    district_code,
    week_id,
    regency_code,
    is_submitted,
    row_count,
    last_received_at,
    record_ids
from {{ ref('int_submissions__expected') }}
where {{ is_affected('regency_code, week_id', 'week') }}
