{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    meta={'scope': 'figure'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    figure_code,
    category_code,
    regency_code,
    week_id,
    period,
    value
from {{ ref('int_figures__counted') }}
where {{ in_scope('regency_code, week_id', 'figure') }}
