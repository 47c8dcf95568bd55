{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[
        {'columns': ['week_id', 'regency_code', 'figure_code', 'category_code', 'period'], 'unique': true},
    ],
    meta={'scope': 'figure'}
) }}
-- Every figure for every category, regency, campaign week and period, zeros present. Regency 19 is
-- the province: the sum over the regencies, the unknown one included. An increment goes on from the
-- figures to date of the last week before the first affected one.
with categories as (
    select
        figure_code,
        category_code
    from (
        values
        ('suspected_violation', 'ALL'),
        ('tip', 'ALL'),
        ('campaign_event', 'ALL'),
        ('prevention', 'ALL'),
        ('district_submitted', 'ALL'),
        ('district_expected', 'ALL')
    ) as single (figure_code, category_code)
    union all
    select
        figures.figure_code,
        kinds.category_code
    from (
        values
        ('suspected_violation_by_kind'),
        ('report_received'),
        ('report_registered'),
        ('report_not_registered'),
        ('report_pending')
    ) as figures (figure_code)
    cross join (values ('LP'), ('TM')) as kinds (category_code)
    union all
    select
        'suspected_violation_by_issue' as figure_code,
        issue_code as category_code
    from {{ ref('issue') }}
    union all
    select
        'suspected_violation_by_type' as figure_code,
        violation_type_code as category_code
    from {{ ref('violation_type') }}
    union all
    select
        'report_registered_by_type' as figure_code,
        violation_type_code as category_code
    from {{ ref('violation_type') }}
    union all
    select
        'report_registered_by_result' as figure_code,
        result_code as category_code
    from {{ ref('status') }}
    where result_code is not null
    group by result_code
    union all
    select
        'report_not_registered_by_reason' as figure_code,
        upper(reason_code) as category_code
    from {{ ref('non_registration_reason') }}
    union all
    select
        figures.figure_code,
        'UNSTATED' as category_code
    from (
        values
        ('report_not_registered_by_reason'),
        ('campaign_event_by_election'),
        ('campaign_event_by_method'),
        ('prevention_by_type')
    ) as figures (figure_code)
    union all
    select
        'suspected_violation_by_context' as figure_code,
        kinds.kind_code || '_' || contexts.campaign_context_code as category_code
    from {{ ref('campaign_context') }} as contexts
    cross join (values ('LP'), ('TM')) as kinds (kind_code)
    union all
    select
        figures.figure_code,
        targets.forwarding_target_code as category_code
    from {{ ref('forwarding_target') }} as targets
    cross join (
        values ('report_forwarded_by_target'), ('report_follow_up_closed_by_target')
    ) as figures (figure_code)
    union all
    select
        'prevention_by_type' as figure_code,
        prevention_type_code as category_code
    from {{ ref('prevention_type') }}
    union all
    select
        'campaign_event_by_election' as figure_code,
        election_code as category_code
    from {{ ref('election') }}
    union all
    select
        'campaign_event_by_method' as figure_code,
        method_code as category_code
    from {{ ref('campaign_method') }}
),

places as (
    select regency_code from {{ ref('regency') }}
    union all
    select '{{ var("province_code") }}' as regency_code
),

grid as (
    select
        places.regency_code,
        weeks.week_id
    from places
    cross join {{ ref('int_weeks__spanned') }} as weeks
    where weeks.has_figures and {{ in_scope('places.regency_code, weeks.week_id', 'figure') }}
),

counts as (
    select
        figure_code,
        category_code,
        regency_code,
        week_id,
        member_count
    from {{ ref('int_figure_weeks__counted') }}
    where week_id >= (select min(week_id) from grid)
),

with_province as (
    select * from counts
    union all
    select
        figure_code,
        category_code,
        '{{ var("province_code") }}' as regency_code,
        week_id,
        sum(member_count)::bigint as member_count
    from counts
    group by figure_code, category_code, week_id
),

weekly as (
    select
        categories.figure_code,
        categories.category_code,
        grid.regency_code,
        grid.week_id,
        coalesce(with_province.member_count, 0) as value
    from grid
    cross join categories
    left join with_province
        on
            categories.figure_code = with_province.figure_code
            and categories.category_code = with_province.category_code
            and grid.regency_code = with_province.regency_code
            and grid.week_id = with_province.week_id
),

to_date as (
    select
        *,
        sum(value) over (
            partition by figure_code, category_code, regency_code
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
    where weeks.has_figures
    group by firsts.regency_code
),

before as (
    select figures.*
    from {{ this }} as figures
    inner join last_weeks
        on figures.regency_code = last_weeks.regency_code and figures.week_id = last_weeks.week_id
    where figures.period = 'to_date'
)
{%- endif %}

select
    figure_code,
    category_code,
    regency_code,
    week_id,
    'week' as period,
    value
from weekly
union all
select
    to_date.figure_code,
    to_date.category_code,
    to_date.regency_code,
    to_date.week_id,
    'to_date' as period,
    {% if is_incremental() -%}
    (to_date.value_since_first + coalesce(before.value, 0))::bigint as value
from to_date
left join before
    on
        to_date.figure_code = before.figure_code
        and to_date.category_code = before.category_code
        and to_date.regency_code = before.regency_code
    {%- else -%}
    to_date.value_since_first::bigint as value
from to_date
    {%- endif %}
