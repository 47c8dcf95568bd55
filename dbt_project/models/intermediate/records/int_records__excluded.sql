{{ config(
    materialized='incremental',
    unique_key=['delivery_id'],
    indexes=[
        {'columns': ['delivery_id'], 'unique': true},
        {'columns': ['channel', 'reason_code', 'week_id']},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- depends_on: {{ ref('int_keys__previous') }}
-- What was landed and is not counted, with the reason that readers and owners see.
select
    records.delivery_id,
    records.record_id,
    records.channel,
    records.source_id,
    records.received_at,
    records.exclusion_code as reason_code,
    reasons.reason,
    -- The week it would have counted in; a row without a date belongs to none where its channel does
    -- not say when it received it.
    case
        when records.exclusion_code = 'implausible_date' then null
        when records.counted_date is not null then {{ week_id('records.counted_date') }}
        else {{ week_id('records.receipt_date') }}
    end as week_id
from {{ ref('int_records__typed') }} as records
left join {{ ref('exclusion_reason') }} as reasons on records.exclusion_code = reasons.reason_code
where
    records.exclusion_code is not null
    and {{ is_affected('records.delivery_id', 'delivery') }}
