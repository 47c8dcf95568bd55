{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[
        {'columns': ['report_id']},
        {'columns': ['block_id']},
    ],
    meta={'affected_keys': 'delivery'}
) }}
-- depends_on: {{ ref('int_report_blocks__previous') }}
-- One row per case and block. A block holds the cases of one channel, district (regency where the
-- district is not known), day of the event (of receipt where the event has none) and theme; a case
-- with several themes is in several blocks. A case that cannot be compared has no such block. Cases of one
-- channel and legal number are a block of their own, '#...', which bounds only pairs of one number.
select
    reports.report_id,
    concat_ws(
        '/',
        reports.channel,
        coalesce(reports.district_code, reports.regency_code),
        coalesce(reports.occurred_date::text, 'received ' || reports.received_date),
        coalesce(themes.code, '-')
    ) as block_id,
    reports.received_at
from {{ ref('int_reports__located') }} as reports
left join {{ ref('int_report_terms__classified') }} as themes
    on reports.report_id = themes.report_id and themes.vocabulary = 'issue'
where
    not {{ is_unknown_regency('reports.regency_code') }}
    and (reports.district_code is not null or reports.occurred_date is not null)
    and {{ is_affected('reports.report_id', 'delivery') }}
union all
select
    report_id,
    '#' || concat_ws(
        '/',
        channel,
        register_area_code,
        record_kind || ' ' || register_sequence,
        to_char(register_month_date, 'YYYY-MM'),
        register_election_code,
        register_level_code
    ) as block_id,
    received_at
from {{ ref('int_reports__located') }}
where
    num_nulls(
        register_area_code, register_month_date, register_sequence,
        register_election_code, register_level_code
    ) = 0
    and {{ is_affected('report_id', 'delivery') }}
