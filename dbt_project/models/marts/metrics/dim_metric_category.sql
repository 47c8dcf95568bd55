{{ config(tags=['static']) }}
select
    metric_code,
    category_code,
    category_name,
    category_name_en,
    sort_order
from {{ ref('int_metric_categories__listed') }}
