{{ config(tags=['static']) }}
-- The names that an edition prints: one row per vocabulary and code. The vocabularies are the dimensions of
-- metrics, the reasons for an exclusion and the rules of deadlines.
select distinct
    metrics.dimension as vocabulary,
    categories.category_code,
    categories.category_name,
    categories.category_name_en,
    coalesce(categories.category_label, categories.category_name) as category_label,
    coalesce(categories.category_label_en, categories.category_name_en) as category_label_en,
    categories.sort_order
from {{ ref('int_metric_categories__listed') }} as categories
inner join {{ ref('metric') }} as metrics on categories.metric_code = metrics.metric_code
where metrics.dimension is not null
union all
select
    'exclusion_reason' as vocabulary,
    reason_code as category_code,
    reason as category_name,
    coalesce(reason_en, reason) as category_name_en,
    reason as category_label,
    coalesce(reason_en, reason) as category_label_en,
    0 as sort_order
from {{ ref('exclusion_reason') }}
union all
-- a rule has a row per period in which it is in force, and one name
select distinct
    'deadline_rule' as vocabulary,
    rule_code as category_code,
    rule_name as category_name,
    coalesce(rule_name_en, rule_name) as category_name_en,
    rule_name as category_label,
    coalesce(rule_name_en, rule_name) as category_label_en,
    sort_order
from {{ ref('deadline_rule') }}
