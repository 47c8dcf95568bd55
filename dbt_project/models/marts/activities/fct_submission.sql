{{ config(
    unique_key=['regency_code', 'week_id'],
    meta={'affected_keys': 'week', 'indexes': ['(regency_code, week_id)']}
) }}
select
    district_code,
    week_id,
    regency_code,
    is_submitted,
    row_count,
    event_count,
    prevention_count,
    first_received_at,
    last_received_at,
    record_ids
from {{ ref('int_submissions__expected') }}
