{{ config(
    materialized='incremental',
    unique_key=['activity_id'],
    indexes=[
        {'columns': ['activity_id', 'vocabulary', 'code'], 'unique': true},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- The themes and target groups of every prevention activity, which may have several of each.
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
cross join lateral (
    {%- for field in canonical_fields() if field.parser == 'list' and 'PREV' in field.record_kinds %}
    select
        '{{ field.vocabulary }}' as vocabulary,
        unnest(records.{{ field.column }}) as term_raw
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as written
inner join {{ ref('int_terms__mapped') }} as terms
    on written.vocabulary = terms.vocabulary and written.term_raw = terms.term_raw
where
    activities.record_kind = 'PREV'
    and terms.code is not null
    and {{ is_affected('activities.activity_id', 'delivery') }}
