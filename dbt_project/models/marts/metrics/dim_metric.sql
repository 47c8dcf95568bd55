{{ config(tags=['static']) }}
select
    metric_code,
    metric_name,
    metric_name_en,
    definition,
    definition_en,
    dimension,
    whole_code,
    part_rule,
    unit,
    source,
    additive_over like '%weeks%' as is_additive_over_weeks,
    sort_order
from {{ ref('metric') }}
