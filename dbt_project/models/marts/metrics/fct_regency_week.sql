{{ config(unique_key=['regency_code', 'week_id'], meta={'affected_keys': 'week'}) }}
select
    regency_code,
    week_id,
    laporan_count,
    finding_count,
    tip_count,
    suspected_violation_count,
    registered_count,
    not_registered_count,
    pending_count,
    supervision_count,
    prevention_count,
    submitted_district_count,
    district_count
from {{ ref('int_regency_weeks__counted') }}
