{{ config(
    unique_key=['report_id'],
    meta={'affected_keys': 'delivery',
        'indexes': [
            '(regency_code, week_id)',
            '((received_date - known_date)) where is_late'
        ]
    }
) }}
select
    report_id,
    channel,
    record_kind,
    register_number,
    register_sequence,
    register_election_code,
    register_level_code,
    register_area_code,
    register_month_date,
    regency_code,
    district_code,
    village_code,
    location_method,
    location_confidence,
    occurred_date,
    known_date,
    received_date,
    received_at,
    week_id,
    stage_code,
    status_code,
    registration_outcome,
    non_registration_reason_code,
    accused_role_code,
    forwarding_target_code,
    is_follow_up_closed,
    campaign_context_code,
    is_late,
    reporter_key,
    observer_organisation_code,
    record_id
from {{ ref('int_reports__located') }}
