-- One row per regency (and the unknown one) and week, zeros present.
with reports as (
    select
        regency_code,
        week_id,
        count(*) filter (where record_kind = 'LP') as report_count,
        count(*) filter (where record_kind = 'TM') as finding_count,
        count(*) filter (where record_kind = 'IA') as tip_count,
        count(*) filter (where registration_outcome = 'registered') as registered_count,
        count(*) filter (where registration_outcome = 'not_registered') as not_registered_count,
        count(*) filter (where registration_outcome = 'pending') as pending_count
    from {{ ref('int_reports__located') }}
    group by regency_code, week_id
),

activities as (
    select
        regency_code,
        week_id,
        count(*) filter (where record_kind = 'LHP') as supervision_count,
        count(*) filter (where record_kind = 'PREV') as prevention_count
    from {{ ref('int_activities__located') }}
    group by regency_code, week_id
),

submissions as (
    select
        regency_code,
        week_id,
        count(*) filter (where is_submitted) as submitted_district_count,
        count(*) as district_count
    from {{ ref('int_submissions__expected') }}
    group by regency_code, week_id
)

select
    regencies.regency_code,
    weeks.week_id,
    {%- for column in ['report_count', 'finding_count', 'tip_count'] %}
    coalesce(reports.{{ column }}, 0) as {{ column }},
    {%- endfor %}
    coalesce(reports.report_count + reports.finding_count, 0) as suspected_violation_count,
    {%- for column in ['registered_count', 'not_registered_count', 'pending_count'] %}
    coalesce(reports.{{ column }}, 0) as {{ column }},
    {%- endfor %}
    coalesce(activities.supervision_count, 0) as supervision_count,
    coalesce(activities.prevention_count, 0) as prevention_count,
    coalesce(submissions.submitted_district_count, 0) as submitted_district_count,
    coalesce(submissions.district_count, 0) as district_count
from {{ ref('regency') }} as regencies
cross join {{ ref('int_weeks__spanned') }} as weeks
left join reports
    on regencies.regency_code = reports.regency_code and weeks.week_id = reports.week_id
left join activities
    on regencies.regency_code = activities.regency_code and weeks.week_id = activities.week_id
left join submissions
    on regencies.regency_code = submissions.regency_code and weeks.week_id = submissions.week_id
