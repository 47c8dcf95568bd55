select
    contributor_id,
    channel,
    record_kind,
    regency_code,
    week_id
from {{ ref('int_facts__before_campaign') }}
