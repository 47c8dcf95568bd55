{% test figures_agree(model) %}
    {#- The identities between figures, for every category, regency, week and period:
        province = sum of the regencies; received = registered + not registered + pending;
        parts that exclude each other sum to their whole; what was followed up was forwarded; the regency days since the campaign
        began, and the regency weeks of recaps, say the same; nothing shrinks over time. -#}
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
            'report_received' as figure_code,
            category_code,
            regency_code,
            week_id,
            period,
            sum(value) filter (where figure_code = 'report_received') as value,
            sum(value) filter (where figure_code <> 'report_received') as expected
        from figures
        where starts_with(figure_code, 'report_') and category_code in ('LP', 'TM')
        group by category_code, regency_code, week_id, period
    ),

    parts as (
        select
            'parts_add_up' as rule,
            wholes.part_code as figure_code,
            'ALL' as category_code,
            figures.regency_code,
            figures.week_id,
            figures.period,
            sum(figures.value) filter (where figures.figure_code = wholes.part_code) as value,
            sum(figures.value) filter (where figures.figure_code = wholes.whole_code) as expected
        from figures
        inner join (
            values
            ('suspected_violation_by_kind', 'suspected_violation'),
            ('suspected_violation_by_context', 'suspected_violation'),
            ('report_not_registered_by_reason', 'report_not_registered'),
            ('report_registered_by_result', 'report_registered'),
            ('campaign_event_by_election', 'campaign_event'),
            ('campaign_event_by_method', 'campaign_event'),
            ('prevention_by_type', 'prevention')
        ) as wholes (part_code, whole_code)
            on figures.figure_code in (wholes.part_code, wholes.whole_code)
        group by wholes.part_code, figures.regency_code, figures.week_id, figures.period
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

    followed as (
        select
            'closed_was_forwarded' as rule,
            closed.figure_code,
            closed.category_code,
            closed.regency_code,
            closed.week_id,
            closed.period,
            closed.value,
            least(closed.value, forwarded.value) as expected
        from figures as closed
        left join figures as forwarded
            on
                closed.category_code = forwarded.category_code
                and closed.regency_code = forwarded.regency_code
                and closed.week_id = forwarded.week_id
                and closed.period = forwarded.period
                and forwarded.figure_code = 'report_forwarded_by_target'
        where closed.figure_code = 'report_follow_up_closed_by_target'
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
        select * from followed
        union all
        select * from running
    ) as identities
    where value is distinct from expected
{% endtest %}
