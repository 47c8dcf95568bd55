{{ config(
    unique_key=['report_id'],
    meta={'affected_keys': 'deadline',
        'indexes': [
            '(rule_code, regency_code, state_code)',
            '(' ~ judged_on() ~ ')',
            '(extended_due_date) where end_to_date is null'
        ]
    }
) }}
select
    report_id,
    rule_code,
    channel,
    regency_code,
    record_kind,
    valid_from,
    start_from_date,
    start_to_date,
    due_date,
    extended_due_date,
    latest_due_date,
    end_from_date,
    end_to_date,
    state_code,
    remaining_days,
    as_of_date,
    legal_source
from {{ ref('int_deadlines__judged') }}
