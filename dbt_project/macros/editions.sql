{% macro edition_contributors(deadlines, weeks, contributors, cases, terms, issues) -%}
    {#- The facts behind the numbers of an edition that are not metrics: one row per fact. The arguments
        name relations:
            deadlines     fct_deadline
            weeks         week_id judged_date: the day by which the week's edition judges deadlines
            contributors  rpt_metric_contributor
            cases         fct_report
            terms         bridge_report_issue
            issues        issue_code issue_group_code -#}
    select
        'deadline' as metric_code,
        deadlines.rule_code || '/' || {{ deadline_state('weeks.judged_date', 'deadlines') }} as category_code,
        deadlines.regency_code,
        weeks.week_id,
        deadlines.report_id as contributor_id
    from {{ deadlines }} as deadlines
    inner join {{ weeks }} as weeks on deadlines.start_from_date <= weeks.judged_date
    union all
    -- the issue profile: cases of every kind that name the theme
    select
        'profile' as metric_code,
        terms.issue_code as category_code,
        contributors.regency_code,
        contributors.week_id,
        contributors.contributor_id
    from {{ contributors }} as contributors
    inner join {{ terms }} as terms on contributors.contributor_id = terms.report_id
    where contributors.metric_code in ('suspected_violation', 'tip')
    union all
    -- districts: a case counts once in each group of themes, however many themes of the group it names
    select distinct
        'district' as metric_code,
        coalesce(cases.district_code, '') || '/' || coalesce(issues.issue_group_code, 'LAIN') as category_code,
        contributors.regency_code,
        contributors.week_id,
        contributors.contributor_id
    from {{ contributors }} as contributors
    left join {{ cases }} as cases on contributors.contributor_id = cases.report_id
    left join {{ issues }} as issues on contributors.category_code = issues.issue_code
    where contributors.metric_code = 'suspected_violation_by_issue'
{%- endmacro %}
