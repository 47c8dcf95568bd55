{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    meta={'scope': 'delivery'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    report_id,
    code as issue_code,
    regency_code
from {{ ref('int_report_terms__classified') }}
where vocabulary = 'issue' and {{ in_scope('report_id', 'delivery') }}
