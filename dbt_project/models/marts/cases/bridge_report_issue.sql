{{ config(unique_key=['report_id'], meta={'affected_keys': 'delivery'}) }}
select
    report_id,
    code as issue_code,
    regency_code,
    weight as case_weight
from {{ ref('int_report_terms__classified') }}
where vocabulary = 'issue'
