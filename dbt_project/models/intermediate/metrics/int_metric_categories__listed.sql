{{ config(tags=['static']) }}
-- One row per metric and category, in the order in which tables list them: `ALL` for a metric without a
-- dimension, otherwise the codes of its vocabulary (seed metric). A dimension of two vocabularies has
-- every pair of their codes, such as LP_IN_EVENT.
{%- set vocabularies = [
    ('campaign_context', 'campaign_context'),
    ('campaign_method', 'method'),
    ('election', 'election'),
    ('forwarding_target', 'forwarding_target'),
    ('issue', 'issue'),
    ('non_registration_reason', 'reason'),
    ('prevention_type', 'prevention_type'),
    ('violation_type', 'violation_type'),
] %}
with vocabularies as (
    {%- for seed, prefix in vocabularies %}
    select
        '{{ seed }}' as dimension,
        {{ prefix }}_code as category_code,
        {{ prefix }}_name as category_name,
        coalesce({{ prefix }}_name_en, {{ prefix }}_name) as category_name_en,
        to_jsonb(terms) ->> '{{ prefix }}_label' as category_label,
        to_jsonb(terms) ->> '{{ prefix }}_label_en' as category_label_en,
        sort_order
    from {{ ref(seed) }} as terms
    union all
    {%- endfor %}
    select
        vocabulary as dimension,
        category_code,
        category_name,
        category_name_en,
        category_label,
        category_label_en,
        sort_order
    from {{ ref('category') }}
),

listed as (
    select
        metrics.metric_code,
        categories.category_code,
        categories.category_name,
        categories.category_name_en,
        categories.category_label,
        categories.category_label_en,
        array[categories.sort_order] as place
    from {{ ref('metric') }} as metrics
    inner join vocabularies as categories on metrics.dimension = categories.dimension
    union all
    select
        metrics.metric_code,
        firsts.category_code || '_' || seconds.category_code as category_code,
        firsts.category_name || ', ' || lower(left(seconds.category_name, 1))
        || substr(seconds.category_name, 2) as category_name,
        firsts.category_name_en || ', ' || lower(left(seconds.category_name_en, 1))
        || substr(seconds.category_name_en, 2) as category_name_en,
        null as category_label,
        null as category_label_en,
        array[firsts.sort_order, seconds.sort_order] as place
    from {{ ref('metric') }} as metrics
    inner join vocabularies as firsts on split_part(metrics.dimension, ' ', 1) = firsts.dimension
    inner join vocabularies as seconds on split_part(metrics.dimension, ' ', 2) = seconds.dimension
    union all
    select
        metric_code,
        'ALL' as category_code,
        null as category_name,
        null as category_name_en,
        null as category_label,
        null as category_label_en,
        array[1] as place
    from {{ ref('metric') }}
    where dimension is null
)

select
    metric_code,
    category_code,
    category_name,
    category_name_en,
    category_label,
    category_label_en,
    row_number() over (partition by metric_code order by place)::integer as sort_order
from listed
