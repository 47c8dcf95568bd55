{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    meta={'affected_keys': 'metric'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    metric_code,
    category_code,
    regency_code,
    week_id,
    period,
    value
from {{ ref('int_metrics__counted') }}
where {{ is_affected('regency_code, week_id', 'metric') }}
