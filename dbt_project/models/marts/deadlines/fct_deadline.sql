{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[{'columns': ['rule_code', 'regency_code', 'state_code']}],
    post_hook=[
        {'sql': "{{ after_full_build('vacuum ' ~ this) }}", 'transaction': false},
        "{{ after_full_build('create index on ' ~ this ~ ' (' ~ judged_on() ~ ')') }}",
        "{{ after_full_build('create index on ' ~ this ~ ' (extended_due_date) where end_to_date is null') }}",
    ],
    meta={'affected_keys': 'deadline'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
-- Vacuumed after a full build: the visibility map allows index-only scans that count deadlines.
select
    report_id,
    rule_code,
    channel,
    regency_code,
    record_kind,
    start_from_date,
    start_to_date,
    due_date,
    extended_due_date,
    end_from_date,
    end_to_date,
    state_code,
    remaining_days,
    as_of_date,
    legal_source
from {{ ref('int_deadlines__judged') }}
where {{ is_affected('report_id', 'deadline') }}
