{{ config(
    indexes=[{'columns': ['report_id'], 'unique': true}],
    post_hook='analyze {{ this }}'
) }}
-- The cases whose pairs an increment recomputes: changed deliveries, and cases that may have come to be
-- among the first `link_block_size` of their block, or to be so no longer, since the last successful build
-- of all models. A case's place is at least its place among the unchanged cases, and at most that and the
-- number of changed cases that are or were in the block, whatever a failed build replaced in between. Empty
-- in a full build.
with touched as (
    select
        block_id,
        count(distinct report_id) as changed_count
    from (
        select
            block_id,
            report_id
        from {{ ref('int_report_blocks__previous') }}
        union all
        select
            block_id,
            report_id
        from {{ ref('int_report_blocks__assigned') }}
        where report_id in (select delivery_id from {{ ref('stg_intake__changes') }})
    ) as changed
    group by block_id
),

unchanged as (
    select
        block_id,
        report_id,
        row_number() over (partition by block_id order by received_at, report_id) as place
    from {{ ref('int_report_blocks__assigned') }}
    where
        block_id in (select block_id from touched)
        and report_id not in (select delivery_id from {{ ref('stg_intake__changes') }})
),

affected as (
    select delivery_id as report_id
    from {{ ref('stg_intake__changes') }}
    union
    select unchanged.report_id
    from unchanged
    inner join touched on unchanged.block_id = touched.block_id
    where
        unchanged.place <= {{ var('link_block_size') }}
        and unchanged.place + touched.changed_count > {{ var('link_block_size') }}
)

select report_id
from affected
where {{ 'true' if is_increment() else 'false' }}
