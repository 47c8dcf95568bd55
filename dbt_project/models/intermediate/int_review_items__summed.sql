-- The list of what people should look at, one row per check, item and regency: what was found in
-- deliveries, candidate pairs without a decision, and what is open in quarantine. Read whole by
-- every build: it is as long as what people have not worked off.
with items as (
    select
        check_code,
        case
            when word is null then delivery_id || '/' || subject
            else channel || '/' || subject || '/' || word
        end as item_id,
        regency_code,
        channel,
        delivery_id,
        record_id,
        concat_ws(': ', subject, word) as detail,
        since_date,
        1 as record_count
    from {{ ref('int_review_items__found') }}
    union all
    select
        'pair_undecided' as check_code,
        pairs.report_id_a || '/' || pairs.report_id_b as item_id,
        pairs.regency_code,
        pairs.channel_a as channel,
        pairs.report_id_a as delivery_id,
        a.record_id,
        concat_ws(', ', 'score ' || pairs.score, array_to_string(pairs.reasons, ', ')) as detail,
        greatest(a.received_date, b.received_date) as since_date,
        2 as record_count
    from {{ ref('int_report_pairs__scored') }} as pairs
    inner join {{ ref('int_reports__located') }} as a on pairs.report_id_a = a.report_id
    inner join {{ ref('int_reports__located') }} as b on pairs.report_id_b = b.report_id
    where pairs.state_code = 'candidate'
    union all
    select
        'delivery_quarantined' as check_code,
        records.channel || '/' || records.reason_code as item_id,
        '{{ unknown_regency() }}' as regency_code,
        records.channel,
        null as delivery_id,
        null as record_id,
        records.reason_code as detail,
        {{ jakarta_date('records.received_at') }} as since_date,
        1 as record_count
    from {{ source('quarantine', 'record') }} as records
    where records.resolved_at is null and records.batch_id <= {{ max_batch_id() }}
),

summed as (
    select
        check_code,
        item_id,
        regency_code,
        channel,
        detail,
        (array_agg(delivery_id order by record_id asc))[1] as delivery_id,
        min(record_id) as record_id,
        sum(record_count) as record_count,
        min(since_date) as since_date
    from items
    group by check_code, item_id, regency_code, channel, detail
)

select
    summed.check_code,
    summed.item_id,
    summed.regency_code,
    checks.severity,
    checks.owner,
    summed.channel,
    summed.detail,
    summed.delivery_id,
    summed.record_id,
    summed.record_count,
    summed.since_date,
    checks.cure
from summed
inner join {{ ref('review_check') }} as checks on summed.check_code = checks.check_code
