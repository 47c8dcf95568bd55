{% test metrics_agree(model) %}
    {#- The metrics satisfy the rules of the seed metric for every category, region, week and period: a
        province and the country are the sums of their regencies, and a part relates to its whole as part_rule says. They also
        equal the counts of the regency days since the campaign began and of the regency weeks of recaps,
        and no count to date decreases from one week to the next. -#}
    with metrics as (select * from {{ model }}),

    members as (select * from {{ ref('int_region_members__listed') }}),

    regions as (
        select
            'region_is_the_sum' as rule,
            metrics.metric_code,
            metrics.category_code,
            members.region_code as regency_code,
            metrics.week_id,
            metrics.period,
            sum(metrics.value) filter (where metrics.regency_code = members.region_code) as value,
            sum(metrics.value) filter (where metrics.regency_code <> members.region_code) as expected
        from metrics
        inner join (
            select
                region_code,
                regency_code
            from members
            union
            select
                region_code,
                region_code
            from members
        ) as members
            on metrics.regency_code = members.regency_code
        group by
            metrics.metric_code, metrics.category_code, members.region_code, metrics.week_id, metrics.period
    ),

    funnel as (
        select
            'funnel_adds_up' as rule,
            members.whole_code as metric_code,
            metrics.category_code,
            metrics.regency_code,
            metrics.week_id,
            metrics.period,
            sum(metrics.value) filter (where metrics.metric_code = members.whole_code) as value,
            sum(metrics.value) filter (where metrics.metric_code <> members.whole_code) as expected
        from metrics
        inner join (
            select
                metric_code,
                whole_code
            from {{ ref('metric') }}
            where part_rule = 'metrics_add_up'
            union
            select
                whole_code,
                whole_code
            from {{ ref('metric') }}
            where part_rule = 'metrics_add_up'
        ) as members
            on metrics.metric_code = members.metric_code
        group by
            members.whole_code, metrics.category_code, metrics.regency_code, metrics.week_id,
            metrics.period
    ),

    parts as (
        select
            'parts_add_up' as rule,
            registry.metric_code as metric_code,
            'ALL' as category_code,
            metrics.regency_code,
            metrics.week_id,
            metrics.period,
            sum(metrics.value) filter (where metrics.metric_code = registry.metric_code) as value,
            sum(metrics.value) filter (where metrics.metric_code = registry.whole_code) as expected
        from metrics
        inner join {{ ref('metric') }} as registry
            on metrics.metric_code in (registry.metric_code, registry.whole_code)
        where registry.part_rule = 'categories_add_up'
        group by registry.metric_code, metrics.regency_code, metrics.week_id, metrics.period
    ),

    days as (
        select
            regency_code,
            week_id,
            sum(suspected_violation_count) as suspected_violation_count,
            sum(tip_count) as tip_count,
            sum(supervision_count) as supervision_count,
            sum(prevention_count) as prevention_count
        from {{ ref('int_regency_days__counted') }}
        where date_day >= {{ campaign_start(ref('stage')) }}
        group by regency_code, week_id
    ),

    weeks as (
        select
            'regency_week_says_the_same' as rule,
            metrics.metric_code,
            metrics.category_code,
            metrics.regency_code,
            metrics.week_id,
            metrics.period,
            metrics.value,
            case metrics.metric_code
                when 'suspected_violation' then days.suspected_violation_count
                when 'tip' then days.tip_count
                when 'campaign_event' then days.supervision_count
                when 'prevention' then days.prevention_count
                when 'district_submitted' then facts.submitted_district_count
                when 'district_expected' then facts.district_count
            end as expected
        from metrics
        left join {{ ref('int_regency_weeks__counted') }} as facts
            on metrics.regency_code = facts.regency_code and metrics.week_id = facts.week_id
        left join days
            on metrics.regency_code = days.regency_code and metrics.week_id = days.week_id
        where
            metrics.period = 'week'
            and metrics.regency_code not in (select members.region_code from members)
            and metrics.metric_code in (
                'suspected_violation', 'tip', 'campaign_event', 'prevention', 'district_submitted',
                'district_expected'
            )
    ),

    included as (
        select
            'part_is_within_its_whole' as rule,
            parts.metric_code,
            parts.category_code,
            parts.regency_code,
            parts.week_id,
            parts.period,
            parts.value,
            least(parts.value, wholes.value) as expected
        from metrics as parts
        inner join {{ ref('metric') }} as registry
            on parts.metric_code = registry.metric_code and registry.part_rule = 'at_most'
        left join metrics as wholes
            on
                registry.whole_code = wholes.metric_code
                and parts.category_code = wholes.category_code
                and parts.regency_code = wholes.regency_code
                and parts.week_id = wholes.week_id
                and parts.period = wholes.period
    ),

    running as (
        select
            'to_date_only_grows' as rule,
            metric_code,
            category_code,
            regency_code,
            week_id,
            period,
            value,
            greatest(
                value,
                lag(value) over (
                    partition by metric_code, category_code, regency_code
                    order by week_id
                )
            ) as expected
        from metrics
        where period = 'to_date'
    )

    select * from (
        select * from regions
        union all
        select * from funnel
        union all
        select * from parts
        union all
        select * from weeks
        union all
        select * from included
        union all
        select * from running
    ) as identities
    where value is distinct from expected
{% endtest %}
