{{ config(
    materialized='incremental',
    unique_key=['item_id'],
    indexes=[{'columns': ['delivery_id']}, {'columns': ['other_id']}],
    post_hook="{{ after_full_build('create index on ' ~ this ~ ' (item_id) where delivery_id is null') }}",
    meta={'affected_keys': 'review'}
) }}
-- depends_on: {{ ref('int_build__checked') }}
select
    check_code,
    item_id,
    regency_code,
    severity,
    owner,
    channel,
    detail,
    delivery_id,
    other_id,
    record_id,
    record_count,
    since_date,
    remediation
from {{ ref('int_review_items__listed') }}
