{{ config(unique_key=['regency_code', 'week_id'], meta={'affected_keys': 'metric'}) }}
select
    metric_code,
    category_code,
    regency_code,
    week_id,
    period,
    value
from {{ ref('int_metrics__counted') }}
