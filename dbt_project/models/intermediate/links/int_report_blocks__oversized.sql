{{ config(
    materialized='incremental',
    unique_key=['block_id'],
    indexes=[
        {'columns': ['report_id']},
        {'columns': ['block_id']},
    ],
    meta={'affected_keys': 'block'}
) }}
-- One row per case of a block with more than `link_block_size` cases. The number of pairs grows with the
-- square of the block, so these cases are not compared: the block is one item for review.
select
    block_id,
    report_id
from {{ ref('int_report_blocks__assigned') }}
where
    block_id in (
        select block_id
        from {{ ref('int_report_blocks__assigned') }}
        where {{ is_affected('block_id', 'block') }}
        group by block_id
        having count(*) > {{ var('link_block_size') }}
    )
