{{ config(materialized='view', tags=['static'], pre_hook="{{ create_metric_contributors() }}") }}
-- depends_on: {{ ref('int_build__checked') }}
-- depends_on: {{ ref('fct_report') }}
-- depends_on: {{ ref('bridge_report_issue') }}
-- depends_on: {{ ref('bridge_report_violation_type') }}
-- depends_on: {{ ref('fct_supervision') }}
-- depends_on: {{ ref('fct_prevention') }}
-- depends_on: {{ ref('fct_submission') }}
-- depends_on: {{ ref('dim_status') }}
-- depends_on: {{ ref('dim_stage') }}
select
    metric_code,
    category_code,
    regency_code,
    week_id,
    contributor_id
from {{ this.schema }}.metric_contributors()
