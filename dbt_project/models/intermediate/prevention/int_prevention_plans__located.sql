{{ config(
    materialized='incremental',
    unique_key=['plan_id'],
    indexes=[{'columns': ['plan_id'], 'unique': true}],
    meta={'affected_keys': 'delivery'}
) }}
-- One row per row of a plan of prevention: what a regency's office intends in a period.
select
    records.delivery_id as plan_id,
    records.channel,
    places.regency_code,
    records.plan_start_date as start_date,
    records.plan_end_date as end_date,
    records.prevention_form_code,
    records.office_level_code,
    {%- for vocabulary in ['issue', 'target_group'] %}
    array(
        select distinct terms.code
        from {{ ref('int_terms__mapped') }} as terms
        where
            terms.vocabulary = '{{ vocabulary }}'
            and terms.code is not null
            and terms.term_raw = any(records.{{ vocabulary }}_list)
        order by terms.code
    ) as {{ vocabulary }}_codes,
    {%- endfor %}
    -- the fields that name something of which nothing is known: no word has a code, or it is too long
    array(
        select written.field
        from (
            select
                'issue' as field,
                unnest(records.issue_list) as term_raw
            union all
            select
                'target_group' as field,
                unnest(records.target_group_list) as term_raw
            union all
            select
                'prevention_form' as field,
                staged.prevention_form_raw as term_raw
        ) as written
        inner join {{ ref('int_terms__mapped') }} as terms
            on written.field = terms.vocabulary and written.term_raw = terms.term_raw
        where not terms.is_blank
        group by written.field
        having count(terms.code) = 0
        union
        select unnest(staged.too_long_fields)
        intersect
        select unnest(array['issue', 'target_group', 'prevention_form'])
        order by field
    ) as unknown_fields,
    coalesce(records.planned_activity_count, 0) as planned_activity_count,
    records.planned_participant_count,
    records.record_id
from {{ ref('int_records__typed') }} as records
inner join {{ ref('stg_intake__records') }} as staged on records.delivery_id = staged.delivery_id
left join {{ ref('int_places__resolved') }} as places on records.place_id = places.place_id
where
    records.exclusion_code is null
    and records.kind_code = 'PLAN'
    and {{ is_affected('records.delivery_id', 'delivery') }}
