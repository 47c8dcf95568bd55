{% macro as_of_date() -%}
    {#- The day on which deadlines are judged: that of the build's start, by the installation's clock, so
        that midnight changes nothing between two statements. The subquery is read once for all rows. -#}
    {%- set started -%}
        (select coalesce(max(started_at), ops.now()) from ops.build where state = 'running')
    {%- endset -%}
    {% if var('as_of_date') -%} date '{{ var('as_of_date') }}' {%- else -%} {{ jakarta_date(started) }} {%- endif %}
{%- endmacro %}

{% macro first_plausible_date() -%}
    {#- Earlier dates in a register of this election are typing errors. -#}
    (select events.first_plausible_date from {{ ref('election_event') }} as events)
{%- endmacro %}

{% macro campaign_start(stages) -%}
    {#- The campaign's first day: metrics count from this day on, which need not be a Monday. -#}
    (select campaign.start_date from {{ stages }} as campaign where campaign.stage_code = 'KAMPANYE')
{%- endmacro %}

{% macro campaign_end(stages) -%}
    {#- The campaign's last day. -#}
    (select campaign.end_date from {{ stages }} as campaign where campaign.stage_code = 'KAMPANYE')
{%- endmacro %}

{% macro ended_weeks() -%}
    {#- The weeks with metrics that have ended, numbered in their order. dim_week is a mart: no model here
        may read it. -#}
    select
        *,
        row_number() over (order by week_id) as number
    from {{ ref('int_weeks__spanned') }}
    where has_metrics and is_ended
{%- endmacro %}

{% macro metric_contributors(cases, terms, activities, submissions, statuses, stages) -%}
    {#- The definition of every metric: a select of one row per fact that it counts.
        int_metric_weeks__counted counts the rows, rpt_metric_contributor lists them. The arguments name
        relations:
            cases         report_id regency_code received_date week_id record_kind
                          registration_outcome non_registration_reason_code status_code
                          forwarding_target_code is_follow_up_closed campaign_context_code
            terms         report_id vocabulary code
            activities    activity_id regency_code activity_date week_id record_kind is_recap
                          is_form_entry election_code method_code prevention_type_code
            submissions   district_code regency_code week_id is_submitted
            statuses      status_code result_code
            stages        stage_code start_date
        Facts count from the campaign's first day on; a recap is due for the whole week of that day. An
        entry of the Formulir Pencegahan is in no metric: a recap may list the same activity. -#}
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
                coalesce(cases.non_registration_reason_code, 'UNSTATED')
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
        and activities.is_form_entry is not true
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

{% macro postgres__current_timestamp() -%}
    {#- dbt compares the freshness of sources with it: the installation's clock, as landed_at. -#}
    ops.now()
{%- endmacro %}
