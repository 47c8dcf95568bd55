{{ config(materialized='view', tags=['static'], pre_hook="{{ create_contributor_records() }}") }}
-- depends_on: {{ ref('int_build__checked') }}
-- depends_on: {{ ref('fct_report') }}
-- depends_on: {{ ref('fct_supervision') }}
-- depends_on: {{ ref('fct_prevention') }}
-- depends_on: {{ ref('fct_submission') }}
select
    contributor_id,
    record_id,
    regency_code,
    week_id
from {{ this.schema }}.contributor_records()
