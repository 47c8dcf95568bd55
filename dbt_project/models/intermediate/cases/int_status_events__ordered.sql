{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[
        {'columns': ['report_id', 'event_number'], 'unique': true},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- depends_on: {{ ref('stg_intake__changes') }}
-- One row per change of a case's status between versions of its row, including its first status. A register
-- holds the current status, not its date: the change was made between the previous pull (or the day of
-- receipt) and the pull that showed it.
--
-- A number can also register a case: Reg in the number with an open status is the status diregistrasi,
-- as in int_reports__located, from the first version with Reg on. A register has no column for the day
-- of registration. Where Reg is removed later, the case stays registered until its row has another
-- status than it had with Reg.
with recursive versions as (
    {% if is_incremental() -%}
    select versions.*
    from {{ ref('stg_intake__changes') }} as changed
    inner join {{ ref('stg_intake__status_versions') }} as versions
        on
            changed.source_key = versions.source_key
            and changed.source_id = versions.source_id
            and changed.channel = versions.channel
    {%- else -%}
    select * from {{ ref('stg_intake__status_versions') }}
    {%- endif %}
),

-- When the channel was last read before the pull of a batch.
pulls as (
    select
        batches.batch_id,
        batches.landed_at,
        earlier.landed_at as previous_landed_at
    from {{ source('raw', 'batch') }} as batches
    left join lateral (
        select before.landed_at
        from {{ source('raw', 'batch') }} as before
        where
            before.channel = batches.channel
            and before.batch_id < (
                select min(first.batch_id)
                from {{ source('raw', 'batch') }} as first
                where first.channel = batches.channel and first.run_key = batches.run_key
            )
        order by before.batch_id desc
        limit 1
    ) as earlier on true
    where batches.batch_id in (select versions.batch_id from versions)
),

seen as (
    select
        versions.record_id,
        md5(versions.channel || '/' || versions.source_id) as report_id,
        maps.code as said_code,
        maps.code is null or coalesce(statuses.registration_outcome = 'pending', false) as is_open,
        coalesce(statuses.registration_outcome <> 'pending', false) as is_decided,
        {{ is_registered_number('versions.register_number_raw') }} as is_registered_number,
        pulls.landed_at as seen_at,
        pulls.previous_landed_at
    from versions
    inner join pulls on versions.batch_id = pulls.batch_id
    left join {{ mapped_terms('status') }} as maps on ops.term_key(versions.status_raw) = maps.term
    left join {{ ref('status') }} as statuses on maps.code = statuses.status_code
),

numbered as (
    select
        *,
        coalesce(bool_or(is_decided) over (
            partition by report_id
            order by record_id
            rows between unbounded preceding and 1 preceding
        ), false) as was_decided,
        -- groups the versions from one with Reg to the next
        count(*) filter (where is_registered_number) over (partition by report_id order by record_id)
            as registration_number
    from seen
),

compared as (
    select
        *,
        first_value(said_code) over (
            partition by report_id, registration_number order by record_id
        ) as registered_code
    from numbered
),

kept as (
    select
        *,
        registration_number > 0 and not coalesce(
            bool_or(said_code is distinct from registered_code and said_code is not null) over (
                partition by report_id, registration_number order by record_id
            ), false
        ) as is_registration_kept
    from compared
),

-- A version without a status keeps the previous status; with Reg it says only that the case is registered.
statuses_shown as (
    select
        record_id,
        report_id,
        case when is_open and is_registration_kept then 'diregistrasi' else said_code end as status_code,
        seen_at,
        previous_landed_at
    from kept
    where said_code is not null or (is_registered_number and not was_decided)
),

changes as (
    select
        *,
        lag(status_code) over (partition by report_id order by record_id) as from_status_code
    from statuses_shown
),

-- Between two pulls a case may take several steps: a change is allowed if a chain of allowed steps
-- leads from one status to the other. Forwarding is not allowed within the chain: the next office
-- starts from the beginning, so every status would be reachable from every other.
reachable as (
    select
        from_status_code,
        to_status_code
    from {{ ref('status_transition') }}
    union
    select
        reachable.from_status_code,
        steps.to_status_code
    from reachable
    inner join {{ ref('status_transition') }} as steps
        on reachable.to_status_code = steps.from_status_code
    inner join {{ ref('status') }} as passed on reachable.to_status_code = passed.status_code
    where passed.registration_outcome is not null
)

select
    changes.record_id,
    changes.report_id,
    reports.channel,
    reports.regency_code,
    row_number() over (partition by changes.report_id order by changes.record_id) as event_number,
    changes.from_status_code,
    changes.status_code as to_status_code,
    -- For a case that was new in this pull, the lower bound is the day of receipt. A receipt corrected
    -- later to a day after the pull cannot be: the change is not later than the day on which it was
    -- seen.
    least(
        greatest(
            reports.received_date,
            case
                when changes.from_status_code is not null
                    then {{ jakarta_date('changes.previous_landed_at') }}
            end
        ),
        {{ jakarta_date('changes.seen_at') }}
    ) as not_before_date,
    {{ jakarta_date('changes.seen_at') }} as seen_date,
    changes.seen_at,
    changes.from_status_code is not null and reachable.to_status_code is null as is_illegal
from changes
inner join {{ ref('int_reports__located') }} as reports on changes.report_id = reports.report_id
left join reachable
    on
        changes.from_status_code = reachable.from_status_code
        and changes.status_code = reachable.to_status_code
where changes.status_code is distinct from changes.from_status_code
