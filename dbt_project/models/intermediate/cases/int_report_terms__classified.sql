{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[
        {'columns': ['report_id', 'vocabulary', 'code'], 'unique': true},
        {'columns': ['regency_code', 'week_id']},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- The themes and violation types of every case; a case may have several of each.
select distinct
    reports.report_id,
    reports.regency_code,
    reports.week_id,
    written.vocabulary,
    terms.code
from {{ ref('int_reports__located') }} as reports
cross join lateral (
    {%- for field in canonical_fields() if field.parser == 'list' and 'LP' in field.record_kinds %}
    select
        '{{ field.vocabulary }}' as vocabulary,
        unnest(reports.{{ field.column }}) as term_raw
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as written
inner join {{ ref('int_terms__mapped') }} as terms
    on written.vocabulary = terms.vocabulary and written.term_raw = terms.term_raw
where
    terms.code is not null
    and {{ is_affected('reports.report_id', 'delivery') }}
