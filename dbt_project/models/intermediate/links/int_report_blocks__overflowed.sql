{{ config(
    materialized='incremental',
    unique_key=['block_id'],
    indexes=[
        {'columns': ['report_id']},
        {'columns': ['block_id']},
    ],
    meta={'affected_keys': 'block'}
) }}
-- One row per case that comes after the first `link_block_size` cases of its block, in the order of receipt.
-- The number of pairs grows with the square of the block, so these cases are not compared: they are one
-- item for review. The first cases stay compared, so whoever sends many alike tips later removes no pair.
select
    block_id,
    report_id
from (
    select
        block_id,
        report_id,
        row_number() over (partition by block_id order by received_at, report_id) as place
    from {{ ref('int_report_blocks__assigned') }}
    where {{ is_affected('block_id', 'block') }}
) as placed
where place > {{ var('link_block_size') }}
