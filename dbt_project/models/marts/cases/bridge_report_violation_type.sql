{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    meta={'affected_keys': 'delivery'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    report_id,
    code as violation_type_code,
    regency_code
from {{ ref('int_report_terms__classified') }}
where vocabulary = 'violation_type' and {{ is_affected('report_id', 'delivery') }}
