{{ config(
    materialized='incremental',
    unique_key=['regency_code', 'week_id'],
    indexes=[
        {'columns': ['regency_code', 'week_id'], 'unique': true},
    ],
    meta={'affected_keys': 'week'}
) }}
-- One row per regency (and the unknown one) and week, including zeros: the sums of its days, and the
-- number of districts that delivered.
{%- set counts = [
    'laporan_count', 'finding_count', 'tip_count', 'suspected_violation_count', 'registered_count',
    'not_registered_count', 'pending_count', 'supervision_count', 'prevention_count'
] %}
with weeks as (
    select
        regency_code,
        week_id
        {%- for column in counts %},
        sum({{ column }})::bigint as {{ column }}
        {%- endfor %}
    from {{ ref('int_regency_days__counted') }}
    where {{ is_affected('regency_code, week_id', 'week') }}
    group by regency_code, week_id
),

submissions as (
    select
        regency_code,
        week_id,
        count(*) filter (where is_submitted) as submitted_district_count,
        count(*) as district_count
    from {{ ref('int_submissions__expected') }}
    where {{ is_affected('regency_code, week_id', 'week') }}
    group by regency_code, week_id
)

select
    weeks.regency_code,
    weeks.week_id
    {%- for column in counts %},
    weeks.{{ column }}
    {%- endfor %},
    coalesce(submissions.submitted_district_count, 0) as submitted_district_count,
    coalesce(submissions.district_count, 0) as district_count
from weeks
left join submissions
    on weeks.regency_code = submissions.regency_code and weeks.week_id = submissions.week_id
