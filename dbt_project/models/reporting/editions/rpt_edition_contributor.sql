{{ config(materialized='view', tags=['static'], pre_hook="{{ create_edition_contributors() }}") }}
-- depends_on: {{ ref('int_build__checked') }}
-- depends_on: {{ ref('fct_deadline') }}
-- depends_on: {{ ref('dim_date') }}
-- depends_on: {{ ref('rpt_metric_contributor') }}
-- depends_on: {{ ref('fct_report') }}
-- depends_on: {{ ref('bridge_report_issue') }}
-- depends_on: {{ ref('issue') }}
select
    metric_code,
    category_code,
    regency_code,
    week_id,
    contributor_id
from {{ this.schema }}.edition_contributors()
