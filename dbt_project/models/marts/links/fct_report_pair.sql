{{ config(
    materialized='incremental',
    unique_key=['report_id_a', 'report_id_b'],
    indexes=[
        {'columns': ['report_id_b']},
    ],
    meta={'affected_keys': 'pair'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
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
where {{ is_affected('report_id_a, report_id_b', 'pair', ref('int_report_pairs__scored')) }}
