{% macro as_of_date() -%}
    {#- The day on which deadlines are judged. -#}
    {% if var('as_of_date') -%} date '{{ var('as_of_date') }}' {%- else -%} {{ jakarta_date('now()') }} {%- endif %}
{%- endmacro %}

{% macro figure_members(cases, terms, activities, submissions) -%}
    {#- The definition of every figure: a select of one row per fact that it counts. Counted by
        int_figure_weeks__counted, listed by rpt_figure_member. The arguments name relations:
            cases         report_id regency_code week_id record_kind registration_outcome
            terms         report_id vocabulary code
            activities    activity_id regency_code week_id record_kind election_code method_code
            submissions   district_code regency_code week_id is_submitted -#}
    {%- set first_week = "(select " ~ week_id("date '" ~ var('campaign_start') ~ "'") ~ ")" -%}
    select
        named.figure_code,
        named.category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as member_id
    from {{ cases }} as cases
    cross join lateral (
        values
        ('suspected_violation', 'ALL'),
        ('suspected_violation_by_kind', cases.record_kind),
        ('report_received', cases.record_kind),
        ('report_' || cases.registration_outcome, cases.record_kind)
    ) as named (figure_code, category_code)
    where cases.record_kind in ('LP', 'TM') and cases.week_id >= {{ first_week }}
    union all
    select
        case terms.vocabulary
            when 'issue' then 'suspected_violation_by_issue'
            else 'suspected_violation_by_type'
        end as figure_code,
        terms.code as category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as member_id
    from {{ cases }} as cases
    inner join {{ terms }} as terms on cases.report_id = terms.report_id
    where cases.record_kind in ('LP', 'TM') and cases.week_id >= {{ first_week }}
    union all
    select
        'tip' as figure_code,
        'ALL' as category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as member_id
    from {{ cases }} as cases
    where cases.record_kind = 'IA' and cases.week_id >= {{ first_week }}
    union all
    select
        named.figure_code,
        named.category_code,
        activities.regency_code,
        activities.week_id,
        activities.activity_id as member_id
    from {{ activities }} as activities
    cross join lateral (
        values
        ('campaign_event_by_election', 'LHP', activities.election_code),
        ('campaign_event_by_method', 'LHP', activities.method_code),
        ('prevention', 'PREV', 'ALL')
    ) as named (figure_code, record_kind, category_code)
    where
        activities.record_kind = named.record_kind
        and named.category_code is not null
        and activities.week_id >= {{ first_week }}
    union all
    select
        named.figure_code,
        'ALL' as category_code,
        submissions.regency_code,
        submissions.week_id,
        submissions.district_code || '/' || submissions.week_id as member_id
    from {{ submissions }} as submissions
    cross join lateral (
        values ('district_expected', true), ('district_submitted', submissions.is_submitted)
    ) as named (figure_code, is_member)
    where named.is_member
{%- endmacro %}

{% macro create_figure_members() -%}
    {#- A view over the marts would be dropped with each of them when a full build replaces it, and
        be gone until the build has come to it (dbt-core#2185). A function's text is bound when it
        is run; being one plain select it is inlined, so that conditions reach the indexes. -#}
    create or replace function {{ this.schema }}.figure_members()
    returns table (figure_code text, category_code text, regency_code text, week_id text, member_id text)
    language sql stable
    as $$
    {{ figure_members(
        ref('fct_report'),
        "(select report_id, 'issue' as vocabulary, issue_code as code from " ~ ref('bridge_report_issue')
        ~ " union all select report_id, 'violation_type', violation_type_code from "
        ~ ref('bridge_report_violation_type') ~ ")",
        "(select supervision_id as activity_id, regency_code, week_id, 'LHP' as record_kind,"
        ~ " election_code, method_code from " ~ ref('fct_supervision')
        ~ " union all select prevention_id, regency_code, week_id, 'PREV', null, null from "
        ~ ref('fct_prevention') ~ ")",
        ref('fct_submission')
    ) }}
    $$
{%- endmacro %}
