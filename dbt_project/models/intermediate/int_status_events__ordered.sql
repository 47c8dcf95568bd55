-- One row per change of a case's status between the versions of its row that the source showed, the
-- status it was first seen with included. A register says what is, not when it became so: the change
-- fell between the pull before (or the day of receipt) and the pull that showed it.
with recursive pulls as (
    select
        channel,
        run_key,
        min(batch_id) as first_batch_id,
        max(landed_at) as landed_at
    from {{ source('raw', 'batch') }}
    where batch_id <= {{ max_batch_id() }}
    group by channel, run_key
),

ordered_pulls as (
    select
        channel,
        run_key,
        landed_at,
        lag(landed_at) over (partition by channel order by first_batch_id) as previous_landed_at
    from pulls
),

seen as (
    select
        versions.record_id,
        md5(versions.channel || '/' || versions.source_id) as report_id,
        maps.code as status_code,
        batches.landed_at as seen_at,
        ordered_pulls.previous_landed_at
    from {{ ref('stg_intake__status_versions') }} as versions
    inner join {{ source('raw', 'batch') }} as batches on versions.batch_id = batches.batch_id
    inner join ordered_pulls
        on batches.channel = ordered_pulls.channel and batches.run_key = ordered_pulls.run_key
    inner join {{ ref('map_status') }} as maps on {{ term_key('versions.status_raw') }} = maps.term
),

changes as (
    select
        *,
        lag(status_code) over (partition by report_id order by record_id) as from_status_code
    from seen
),

-- A source that is read once a day may take several steps at once: a change is allowed where the
-- allowed steps lead from one status to the other.
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
)

select
    changes.record_id,
    changes.report_id,
    reports.channel,
    reports.regency_code,
    row_number() over (partition by changes.report_id order by changes.record_id) as event_number,
    changes.from_status_code,
    changes.status_code as to_status_code,
    -- Where the case was new in this pull, receipt is all that is known to lie before.
    greatest(
        reports.received_date,
        case
            when changes.from_status_code is not null
                then {{ jakarta_date('changes.previous_landed_at') }}
        end
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
