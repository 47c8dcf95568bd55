{{ config(unique_key=['regency_code', 'date_day'], meta={'affected_keys': 'day'}) }}
select
    regency_code,
    date_day,
    week_id,
    laporan_count,
    finding_count,
    tip_count,
    suspected_violation_count,
    registered_count,
    not_registered_count,
    pending_count,
    supervision_count,
    prevention_count
from {{ ref('int_regency_days__counted') }}
