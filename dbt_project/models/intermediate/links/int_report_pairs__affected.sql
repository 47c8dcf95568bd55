{{ config(
    indexes=[{'columns': ['report_id'], 'unique': true}],
    post_hook='analyze {{ this }}'
) }}
-- The cases whose pairs an increment recomputes: changed deliveries, and all cases of a block whose
-- size may have crossed `link_block_size` since the last successful build of all models. A block had at
-- least its unchanged cases, and at most these and all changed cases that are or were in it, whatever a
-- failed build replaced in between. Empty in a full build.
with touched as (
    select
        block_id,
        report_id
    from {{ ref('int_report_blocks__previous') }}
    union
    select
        block_id,
        report_id
    from {{ ref('int_report_blocks__assigned') }}
    where report_id in (select delivery_id from {{ ref('stg_intake__changes') }})
),

sized as (
    select
        touched.block_id,
        touched.changed_count,
        (
            select count(*)
            from {{ ref('int_report_blocks__assigned') }} as unchanged
            where
                touched.block_id = unchanged.block_id
                and unchanged.report_id not in (select delivery_id from {{ ref('stg_intake__changes') }})
        ) as unchanged_count
    from (
        select
            block_id,
            count(*) as changed_count
        from touched
        group by block_id
    ) as touched
),

affected as (
    select delivery_id as report_id
    from {{ ref('stg_intake__changes') }}
    union
    select report_id
    from {{ ref('int_report_blocks__assigned') }}
    where
        block_id in (
            select block_id
            from sized
            where
                unchanged_count <= {{ var('link_block_size') }}
                and unchanged_count + changed_count > {{ var('link_block_size') }}
        )
)

select report_id
from affected
where {{ 'true' if is_increment() else 'false' }}
