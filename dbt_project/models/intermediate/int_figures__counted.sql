-- Every figure for every category, regency, campaign week and period, zeros present. Regency 19 is
-- the province: the sum over the regencies, the unknown one included.
with categories as (
    select
        figure_code,
        category_code
    from (
        values
        ('suspected_violation', 'ALL'),
        ('tip', 'ALL'),
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
        'report_not_registered_by_reason' as figure_code,
        'UNSTATED' as category_code
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

counts as (
    select
        figure_code,
        category_code,
        regency_code,
        week_id,
        count(*) as member_count
    from {{ ref('int_figure_members__listed') }}
    group by figure_code, category_code, regency_code, week_id
),

weekly as (
    select
        categories.figure_code,
        categories.category_code,
        regencies.regency_code,
        weeks.week_id,
        coalesce(counts.member_count, 0) as value
    from categories
    cross join {{ ref('regency') }} as regencies
    cross join {{ ref('int_weeks__spanned') }} as weeks
    left join counts
        on
            categories.figure_code = counts.figure_code
            and categories.category_code = counts.category_code
            and regencies.regency_code = counts.regency_code
            and weeks.week_id = counts.week_id
    where weeks.is_campaign
),

with_province as (
    select
        figure_code,
        category_code,
        regency_code,
        week_id,
        value
    from weekly
    union all
    select
        figure_code,
        category_code,
        '19' as regency_code,
        week_id,
        sum(value)::bigint as value
    from weekly
    group by figure_code, category_code, week_id
)

select
    figure_code,
    category_code,
    regency_code,
    week_id,
    'week' as period,
    value
from with_province
union all
select
    figure_code,
    category_code,
    regency_code,
    week_id,
    'to_date' as period,
    (
        sum(value) over (
            partition by figure_code, category_code, regency_code
            order by week_id
        )
    )::bigint as value
from with_province
