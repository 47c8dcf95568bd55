-- Deliveries in no metric, with the reason: quarantined before landing, excluded after landing, or from
-- before the campaign. Every build reads all of them; an index serves the open rows of quarantine.
with entries as (
    select
        channel,
        reason_code,
        reason,
        nullif(week_id, '') as week_id,
        record_count
    from {{ ref('int_exclusions__counted') }}
    union all
    select
        facts.channel,
        reasons.reason_code,
        reasons.reason,
        facts.week_id,
        1 as record_count
    from {{ ref('int_facts__before_campaign') }} as facts
    inner join {{ ref('exclusion_reason') }} as reasons on reasons.reason_code = 'before_campaign'
    union all
    select
        records.channel,
        records.reason_code,
        -- Reasons name the place in a file and so differ by delivery; the sum shows the first.
        min(records.reason) over (partition by records.channel, records.reason_code) as reason,
        case
            when channels.has_receipt_time
                then {{ week_id(jakarta_date('records.received_at')) }}
        end as week_id,
        1 as record_count
    from {{ source('quarantine', 'record') }} as records
    left join {{ source('reference', 'channel') }} as channels on records.channel = channels.channel
    where
        {% if var('as_known_at') -%}
        coalesce(records.resolved_at > '{{ var("as_known_at") }}'::timestamptz, true)
        {%- else -%}
        records.resolved_at is null
        {%- endif %}
        and records.batch_id <= {{ max_batch_id() }}
)

select
    channel,
    reason_code,
    week_id,
    min(reason) as reason,
    sum(record_count)::bigint as record_count
from entries
group by channel, reason_code, week_id
