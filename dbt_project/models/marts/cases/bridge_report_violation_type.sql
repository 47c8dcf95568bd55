{{ config(unique_key=['report_id'], meta={'affected_keys': 'delivery'}) }}
select
    report_id,
    code as violation_type_code,
    regency_code,
    weight as case_weight
from {{ ref('int_report_terms__classified') }}
where vocabulary = 'violation_type'
