{% macro as_of_date() -%}
    {#- The day on which deadlines are judged. -#}
    {% if var('as_of_date') -%} date '{{ var('as_of_date') }}' {%- else -%} {{ jakarta_date('now()') }} {%- endif %}
{%- endmacro %}

{% macro campaign_start(stages) -%}
    {#- The campaign's first day: metrics count from this day on, which need not be a Monday. -#}
    (select campaign.start_date from {{ stages }} as campaign where campaign.stage_code = 'KAMPANYE')
{%- endmacro %}

{% macro campaign_end(stages) -%}
    {#- The campaign's last day. -#}
    (select campaign.end_date from {{ stages }} as campaign where campaign.stage_code = 'KAMPANYE')
{%- endmacro %}

{% macro metric_contributors(cases, terms, activities, submissions, statuses, stages) -%}
    {#- The definition of every metric: a select of one row per fact that it counts.
        int_metric_weeks__counted counts the rows, rpt_metric_contributor lists them. The arguments name
        relations:
            cases         report_id regency_code received_date week_id record_kind
                          registration_outcome non_registration_reason status_code
                          forwarding_target_code is_follow_up_closed campaign_context_code
            terms         report_id vocabulary code
            activities    activity_id regency_code activity_date week_id record_kind is_recap
                          election_code method_code prevention_type_code
            submissions   district_code regency_code week_id is_submitted
            statuses      status_code result_code
            stages        stage_code start_date
        Facts count from the campaign's first day on; a recap is due for the whole week of that day. -#}
    {%- set first_day = campaign_start(stages) -%}
    select
        named.metric_code,
        named.category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as contributor_id
    from {{ cases }} as cases
    left join {{ statuses }} as statuses on cases.status_code = statuses.status_code
    cross join lateral (
        values
        ('suspected_violation', 'ALL'),
        ('suspected_violation_by_kind', cases.record_kind),
        ('report_received', cases.record_kind),
        ('report_' || cases.registration_outcome, cases.record_kind),
        (
            'report_not_registered_by_reason',
            case when cases.registration_outcome = 'not_registered' then
                coalesce(upper(cases.non_registration_reason), 'UNSTATED')
            end
        ),
        -- A number with Reg and an open status: the case is registered and still being handled.
        (
            'report_registered_by_result',
            case when cases.registration_outcome = 'registered' then
                coalesce(statuses.result_code, 'IN_PROCESS')
            end
        ),
        (
            'suspected_violation_by_context',
            cases.record_kind || '_' || cases.campaign_context_code
        ),
        ('report_forwarded_by_target', cases.forwarding_target_code),
        (
            'report_follow_up_closed_by_target',
            case when cases.is_follow_up_closed then cases.forwarding_target_code end
        )
    ) as named (metric_code, category_code)
    where
        cases.record_kind in ('LP', 'TM')
        and named.category_code is not null
        and cases.received_date >= {{ first_day }}
    union all
    select
        named.metric_code,
        terms.code as category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as contributor_id
    from {{ cases }} as cases
    inner join {{ terms }} as terms on cases.report_id = terms.report_id
    cross join lateral (
        values
        ('suspected_violation_by_issue', terms.vocabulary = 'issue'),
        ('suspected_violation_by_type', terms.vocabulary = 'violation_type'),
        (
            'report_registered_by_type',
            terms.vocabulary = 'violation_type' and cases.registration_outcome = 'registered'
        )
    ) as named (metric_code, is_contributor)
    where
        cases.record_kind in ('LP', 'TM')
        and named.is_contributor
        and cases.received_date >= {{ first_day }}
    union all
    select
        'tip' as metric_code,
        'ALL' as category_code,
        cases.regency_code,
        cases.week_id,
        cases.report_id as contributor_id
    from {{ cases }} as cases
    where cases.record_kind = 'IA' and cases.received_date >= {{ first_day }}
    union all
    select
        named.metric_code,
        named.category_code,
        activities.regency_code,
        activities.week_id,
        activities.activity_id as contributor_id
    from {{ activities }} as activities
    cross join lateral (
        values
        ('campaign_event', 'LHP', 'ALL'),
        ('campaign_event_by_election', 'LHP', coalesce(activities.election_code, 'UNSTATED')),
        ('campaign_event_by_method', 'LHP', coalesce(activities.method_code, 'UNSTATED')),
        ('prevention', 'PREV', 'ALL'),
        ('prevention_by_type', 'PREV', coalesce(activities.prevention_type_code, 'UNSTATED'))
    ) as named (metric_code, record_kind, category_code)
    where
        activities.record_kind = named.record_kind
        and (activities.is_recap or activities.record_kind <> 'LHP')
        and activities.activity_date >= {{ first_day }}
    union all
    select
        named.metric_code,
        'ALL' as category_code,
        submissions.regency_code,
        submissions.week_id,
        submissions.district_code || '/' || submissions.week_id as contributor_id
    from {{ submissions }} as submissions
    cross join lateral (
        values ('district_expected', true), ('district_submitted', submissions.is_submitted)
    ) as named (metric_code, is_contributor)
    where named.is_contributor
{%- endmacro %}

{% macro create_metric_contributors() -%}
    {#- When a full build replaces a mart, it drops the views over it, which are then missing until the
        build recreates them (dbt-core#2185). A function resolves its relations when it is called. It is
        one plain select, which the planner inlines, so that conditions can use the indexes. -#}
    create or replace function {{ this.schema }}.metric_contributors()
    returns table (metric_code text, category_code text, regency_code text, week_id text, contributor_id text)
    language sql stable
    as $$
    {{ metric_contributors(
        ref('fct_report'),
        "(select report_id, 'issue' as vocabulary, issue_code as code from " ~ ref('bridge_report_issue')
        ~ " union all select report_id, 'violation_type', violation_type_code from "
        ~ ref('bridge_report_violation_type') ~ ")",
        "(select supervision_id as activity_id, regency_code, activity_date, week_id, 'LHP' as record_kind,"
        ~ " is_recap, election_code, method_code, null as prevention_type_code from "
        ~ ref('fct_supervision')
        ~ " union all select prevention_id, regency_code, activity_date, week_id, 'PREV', null, null, null,"
        ~ " prevention_type_code from "
        ~ ref('fct_prevention') ~ ")",
        ref('fct_submission'),
        ref('dim_status'),
        ref('dim_stage')
    ) }}
    $$
{%- endmacro %}

{% macro create_contributor_records() -%}
    {#- The delivery behind each contributor; of a district's recap all its rows, including those that say
        "nothing to report" and are in no fact. A function, for the reason given in
        create_metric_contributors. -#}
    create or replace function {{ this.schema }}.contributor_records()
    returns table (contributor_id text, record_id bigint, regency_code text, week_id text)
    language sql stable
    as $$
    select report_id, record_id, regency_code, week_id from {{ ref('fct_report') }}
    union all
    select supervision_id, record_id, regency_code, week_id from {{ ref('fct_supervision') }}
    union all
    select prevention_id, record_id, regency_code, week_id from {{ ref('fct_prevention') }}
    union all
    select district_code || '/' || week_id, unnest(record_ids), regency_code, week_id
    from {{ ref('fct_submission') }}
    $$
{%- endmacro %}
