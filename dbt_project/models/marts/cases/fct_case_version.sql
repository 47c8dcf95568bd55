{{ config(unique_key=['report_id'], meta={'affected_keys': 'delivery'}) }}
select
    seen_date,
    regency_code,
    report_id,
    version_number,
    channel,
    seen_at,
    is_withdrawn,
    record_id
from {{ ref('int_case_versions__listed') }}
