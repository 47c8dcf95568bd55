{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[
        {'columns': ['report_id', 'vocabulary', 'code'], 'unique': true},
        {'columns': ['regency_code', 'week_id']},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- The themes and violation types of every case; a case may have several of each, whose weights sum to 1.
with named as (
    select distinct
        reports.report_id,
        reports.regency_code,
        reports.week_id,
        written.vocabulary,
        terms.code
    from {{ ref('int_reports__located') }} as reports
    {{ join_terms('reports', 'LP') }}
    where
        terms.code is not null
        and {{ is_affected('reports.report_id', 'delivery') }}
)

select
    *,
    1.0 / count(*) over (partition by report_id, vocabulary) as weight
from named
