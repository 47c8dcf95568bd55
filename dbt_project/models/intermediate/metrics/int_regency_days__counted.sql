{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'date_day'],
    indexes=[
        {'columns': ['regency_code', 'date_day'], 'unique': true},
        {'columns': ['regency_code', 'week_id']},
    ],
    meta={'affected_keys': 'day'}
) }}
-- One row per regency (and the unknown one) and day of the weeks that facts span, including zeros.
{%- set laporan_counts = {
    'laporan_count': "record_kind = 'LP'",
    'finding_count': "record_kind = 'TM'",
    'tip_count': "record_kind = 'IA'",
    'suspected_violation_count': "record_kind in ('LP', 'TM')",
    'registered_count': "registration_outcome = 'registered'",
    'not_registered_count': "registration_outcome = 'not_registered'",
    'pending_count': "registration_outcome = 'pending'",
} %}
{%- set activity_counts = {
    'supervision_count': "record_kind = 'LHP' and is_recap",
    'prevention_count': "record_kind = 'PREV' and is_form_entry is not true",
} %}
with reports as (
    select
        regency_code,
        received_date as date_day
        {%- for column, condition in laporan_counts.items() %},
        count(*) filter (where {{ condition }}) as {{ column }}
        {%- endfor %}
    from {{ ref('int_reports__located') }}
    where {{ is_affected('regency_code, received_date', 'day') }}
    group by regency_code, received_date
),

activities as (
    select
        regency_code,
        activity_date as date_day
        {%- for column, condition in activity_counts.items() %},
        count(*) filter (where {{ condition }}) as {{ column }}
        {%- endfor %}
    from {{ ref('int_activities__located') }}
    where {{ is_affected('regency_code, activity_date', 'day') }}
    group by regency_code, activity_date
)

select
    regencies.regency_code,
    calendar.date_day,
    calendar.week_id
    {%- for column in laporan_counts %},
    coalesce(reports.{{ column }}, 0) as {{ column }}
    {%- endfor %}
    {%- for column in activity_counts %},
    coalesce(activities.{{ column }}, 0) as {{ column }}
    {%- endfor %}
from {{ ref('regency') }} as regencies
cross join {{ ref('int_calendar__staged') }} as calendar
inner join {{ ref('int_weeks__spanned') }} as weeks on calendar.week_id = weeks.week_id
left join reports
    on regencies.regency_code = reports.regency_code and calendar.date_day = reports.date_day
left join activities
    on
        regencies.regency_code = activities.regency_code
        and calendar.date_day = activities.date_day
where {{ is_affected('regencies.regency_code, calendar.date_day', 'day') }}
