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
-- Landed deliveries that are not counted, with the reason shown to readers and owners.
select
    records.delivery_id,
    records.record_id,
    records.channel,
    records.source_id,
    records.received_at,
    records.exclusion_code as reason_code,
    reasons.reason,
    -- The week in which it would have counted; null for a row without a date whose channel gives no time of
    -- receipt.
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
