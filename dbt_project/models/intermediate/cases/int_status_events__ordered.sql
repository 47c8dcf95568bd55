{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[
        {'columns': ['report_id', 'event_number'], 'unique': true},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- depends_on: {{ ref('stg_intake__changes') }}
-- One row per change of a case's status between the versions of its row that the source showed, the
-- status it was first seen with included. A register says what is, not when it became so: the change
-- fell between the pull before (or the day of receipt) and the pull that showed it.
--
-- A case is registered by its number too: Reg in the number over a status that is still open is the
-- status diregistrasi, as int_reports__located counts it, from the first version that shows it on. A
-- register has no column for the day of registration. Where Reg is gone later, the case stays registered
-- until its row says another status than it said with Reg.
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

-- When the channel was last read before the pull that a batch belongs to.
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
    left join {{ ref('map_status') }} as maps on ops.term_key(versions.status_raw) = maps.term
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
        -- of the versions from one with Reg to the next
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

-- A version without a status leaves the one before: it says no more than that the case is registered.
told as (
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
    from told
),

-- A source that is read once a day may take several steps at once: a change is allowed where the
-- allowed steps lead from one status to the other. Passing a case on is no step on the way: the
-- next office begins anew, so that otherwise everything would be reached from everywhere.
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
    -- Where the case was new in this pull, receipt is all that is known to lie before. A receipt that was
    -- corrected later to after the pull cannot: what was seen lies not after the day on which it was.
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
