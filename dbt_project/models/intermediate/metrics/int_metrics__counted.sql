{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[
        {'columns': ['week_id', 'regency_code', 'metric_code', 'category_code', 'period'], 'unique': true},
    ],
    meta={'affected_keys': 'metric'}
) }}
-- Every metric for every category, region, campaign week and period, zeros present. A region is a regency,
-- a province (19) or the country: the sum over its regencies (int_region_members__listed). An increment
-- continues the metrics to date of the week before the first affected one.
with categories as (
    select
        metric_code,
        category_code
    from {{ ref('int_metric_categories__listed') }}
),

places as (
    select regency_code from {{ ref('regency') }}
    union
    select region_code as regency_code from {{ ref('int_region_members__listed') }}
),

grid as (
    select
        places.regency_code,
        weeks.week_id
    from places
    cross join {{ ref('int_weeks__spanned') }} as weeks
    where weeks.has_metrics and {{ is_affected('places.regency_code, weeks.week_id', 'metric') }}
),

counts as (
    select
        metric_code,
        category_code,
        regency_code,
        week_id,
        member_count
    from {{ ref('int_metric_weeks__counted') }}
    where week_id >= (select min(week_id) from grid)
),

with_regions as (
    select * from counts
    union all
    select
        counts.metric_code,
        counts.category_code,
        members.region_code as regency_code,
        counts.week_id,
        sum(counts.member_count)::bigint as member_count
    from counts
    inner join {{ ref('int_region_members__listed') }} as members
        on counts.regency_code = members.regency_code
    group by counts.metric_code, counts.category_code, members.region_code, counts.week_id
),

weekly as (
    select
        categories.metric_code,
        categories.category_code,
        grid.regency_code,
        grid.week_id,
        coalesce(with_regions.member_count, 0) as value
    from grid
    cross join categories
    left join with_regions
        on
            categories.metric_code = with_regions.metric_code
            and categories.category_code = with_regions.category_code
            and grid.regency_code = with_regions.regency_code
            and grid.week_id = with_regions.week_id
),

to_date as (
    select
        *,
        sum(value) over (
            partition by metric_code, category_code, regency_code
            order by week_id
        ) as value_since_first
    from weekly
)
{%- if is_incremental() %},

last_weeks as (
    select
        firsts.regency_code,
        max(weeks.week_id) as week_id
    from (
        select
            regency_code,
            min(week_id) as week_id
        from grid
        group by regency_code
    ) as firsts
    inner join {{ ref('int_weeks__spanned') }} as weeks on firsts.week_id > weeks.week_id
    where weeks.has_metrics
    group by firsts.regency_code
),

before as (
    select metrics.*
    from {{ this }} as metrics
    inner join last_weeks
        on metrics.regency_code = last_weeks.regency_code and metrics.week_id = last_weeks.week_id
    where metrics.period = 'to_date'
)
{%- endif %}

select
    metric_code,
    category_code,
    regency_code,
    week_id,
    'week' as period,
    value
from weekly
union all
select
    to_date.metric_code,
    to_date.category_code,
    to_date.regency_code,
    to_date.week_id,
    'to_date' as period,
    {% if is_incremental() -%}
    (to_date.value_since_first + coalesce(before.value, 0))::bigint as value
from to_date
left join before
    on
        to_date.metric_code = before.metric_code
        and to_date.category_code = before.category_code
        and to_date.regency_code = before.regency_code
    {%- else -%}
    to_date.value_since_first::bigint as value
from to_date
    {%- endif %}
