{% test figures_agree(model) %}
    {#- The identities between metrics, for every category, regency, week and period, by the seed
        metric: the province is the sum of the regencies; a part relates to its whole as part_rule
        says. Besides, the regency days since the campaign began and the regency weeks of recaps hold
        the same counts, and no count to date falls from one week to the next. -#}
    with figures as (select * from {{ model }}),

    province as (
        select
            'province_is_the_sum' as rule,
            figure_code,
            category_code,
            '{{ var("province_code") }}' as regency_code,
            week_id,
            period,
            sum(value) filter (where regency_code = '{{ var("province_code") }}') as value,
            sum(value) filter (where regency_code <> '{{ var("province_code") }}') as expected
        from figures
        group by figure_code, category_code, week_id, period
    ),

    funnel as (
        select
            'funnel_adds_up' as rule,
            members.whole_code as figure_code,
            figures.category_code,
            figures.regency_code,
            figures.week_id,
            figures.period,
            sum(figures.value) filter (where figures.figure_code = members.whole_code) as value,
            sum(figures.value) filter (where figures.figure_code <> members.whole_code) as expected
        from figures
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
            on figures.figure_code = members.metric_code
        group by
            members.whole_code, figures.category_code, figures.regency_code, figures.week_id,
            figures.period
    ),

    parts as (
        select
            'parts_add_up' as rule,
            metrics.metric_code as figure_code,
            'ALL' as category_code,
            figures.regency_code,
            figures.week_id,
            figures.period,
            sum(figures.value) filter (where figures.figure_code = metrics.metric_code) as value,
            sum(figures.value) filter (where figures.figure_code = metrics.whole_code) as expected
        from figures
        inner join {{ ref('metric') }} as metrics
            on figures.figure_code in (metrics.metric_code, metrics.whole_code)
        where metrics.part_rule = 'categories_add_up'
        group by metrics.metric_code, figures.regency_code, figures.week_id, figures.period
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
            figures.figure_code,
            figures.category_code,
            figures.regency_code,
            figures.week_id,
            figures.period,
            figures.value,
            case figures.figure_code
                when 'suspected_violation' then days.suspected_violation_count
                when 'tip' then days.tip_count
                when 'campaign_event' then days.supervision_count
                when 'prevention' then days.prevention_count
                when 'district_submitted' then facts.submitted_district_count
                when 'district_expected' then facts.district_count
            end as expected
        from figures
        left join {{ ref('int_regency_weeks__counted') }} as facts
            on figures.regency_code = facts.regency_code and figures.week_id = facts.week_id
        left join days
            on figures.regency_code = days.regency_code and figures.week_id = days.week_id
        where
            figures.period = 'week'
            and figures.regency_code <> '{{ var("province_code") }}'
            and figures.figure_code in (
                'suspected_violation', 'tip', 'campaign_event', 'prevention', 'district_submitted',
                'district_expected'
            )
    ),

    included as (
        select
            'part_is_within_its_whole' as rule,
            parts.figure_code,
            parts.category_code,
            parts.regency_code,
            parts.week_id,
            parts.period,
            parts.value,
            least(parts.value, wholes.value) as expected
        from figures as parts
        inner join {{ ref('metric') }} as metrics
            on parts.figure_code = metrics.metric_code and metrics.part_rule = 'at_most'
        left join figures as wholes
            on
                metrics.whole_code = wholes.figure_code
                and parts.category_code = wholes.category_code
                and parts.regency_code = wholes.regency_code
                and parts.week_id = wholes.week_id
                and parts.period = wholes.period
    ),

    running as (
        select
            'to_date_only_grows' as rule,
            figure_code,
            category_code,
            regency_code,
            week_id,
            period,
            value,
            greatest(
                value,
                lag(value) over (
                    partition by figure_code, category_code, regency_code
                    order by week_id
                )
            ) as expected
        from figures
        where period = 'to_date'
    )

    select * from (
        select * from province
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
