{{ config(
    materialized='incremental',
    unique_key=['activity_id'],
    indexes=[
        {'columns': ['activity_id', 'vocabulary', 'code'], 'unique': true},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- The themes and target groups of every prevention activity, which may have several of each, whose weights
-- sum to 1.
with named as (
    select distinct
        activities.activity_id,
        activities.regency_code,
        activities.week_id,
        activities.prevention_form_code,
        activities.participant_count,
        written.vocabulary,
        terms.code
    from {{ ref('int_activities__located') }} as activities
    inner join {{ ref('int_records__typed') }} as records on activities.activity_id = records.delivery_id
    {{ join_terms('records', 'PREV') }}
    where
        activities.record_kind = 'PREV'
        and terms.code is not null
        and {{ is_affected('activities.activity_id', 'delivery') }}
)

select
    *,
    1.0 / count(*) over (partition by activity_id, vocabulary) as weight
from named
