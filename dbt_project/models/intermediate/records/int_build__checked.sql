{{ config(materialized='view') }}
-- Separates the checked layers from the marts: every mart depends on this model, and this model on
-- every test of the earlier layers. Its row counts the deliveries of the build.
select
    count(*) as record_count,
    max(records.record_id) as max_record_id
from {{ ref('int_records__typed') }} as records
-- depends_on: {{ ref('role') }}
-- depends_on: {{ ref('issue_group') }}
-- depends_on: {{ ref('int_records__excluded') }}
-- depends_on: {{ ref('int_report_terms__classified') }}
-- depends_on: {{ ref('int_regency_weeks__counted') }}
-- depends_on: {{ ref('int_metrics__counted') }}
-- depends_on: {{ ref('int_facts__before_campaign') }}
-- depends_on: {{ ref('int_not_counted__summed') }}
-- depends_on: {{ ref('int_channels__counted') }}
-- depends_on: {{ ref('int_issue_profiles__measured') }}
-- depends_on: {{ ref('int_status_events__ordered') }}
-- depends_on: {{ ref('int_deadlines__judged') }}
-- depends_on: {{ ref('int_report_pairs__scored') }}
-- depends_on: {{ ref('int_review_items__listed') }}
