{{ config(unique_key=['regency_code', 'week_id'], meta={'affected_keys': 'week'}) }}
select
    regency_code,
    week_id,
    channel,
    laporan_count,
    tip_count,
    participation_count,
    per_10000_voters
from {{ ref('int_participation__counted') }}
