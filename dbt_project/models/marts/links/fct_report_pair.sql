{{ config(
    unique_key=['report_id_a', 'report_id_b'],
    meta={'affected_keys': 'pair', 'indexes': ['(report_id_b)']}
) }}
select
    report_id_a,
    report_id_b,
    regency_code,
    channel_a,
    channel_b,
    score,
    weight,
    class_code,
    evidence,
    state_code,
    decided_at
from {{ ref('int_report_pairs__scored') }}
