{{ config(
    materialized='incremental',
    unique_key=['report_id'],
    indexes=[{'columns': ['report_id', 'version_number'], 'unique': true}],
    meta={'affected_keys': 'delivery'}
) }}
-- depends_on: {{ ref('stg_intake__changes') }}
-- One row per version of a row of a register: of each case that counts, and of each row that the source
-- withdrew, whose place is then not known. Registers are the channels that map a legal number.
with registers as (
    select channel
    from {{ source('reference', 'channel_field') }}
    where field = 'register_number'
),

versions as (
    select
        records.record_id,
        md5(records.channel || '/' || records.source_id) as report_id,
        records.channel,
        records.batch_id,
        records.is_tombstone
    from {{ source('raw', 'record') }} as records
    {% if is_incremental() -%}
    inner join {{ ref('stg_intake__changes') }} as changed
        on
            records.source_key = changed.source_key
            and records.source_id = changed.source_id
            and records.channel = changed.channel
    {%- endif %}
    where
        records.channel in (select registers.channel from registers)
        and {{ is_known('records.record_id', 'records.channel') }}
),

numbered as (
    select
        *,
        row_number() over (partition by report_id order by record_id) as version_number,
        first_value(is_tombstone) over (partition by report_id order by record_id desc) as is_gone
    from versions
)

select
    numbered.report_id,
    numbered.version_number,
    numbered.channel,
    coalesce(reports.regency_code, {{ unknown_regency(channel_province('channels')) }}) as regency_code,
    {{ jakarta_date('batches.landed_at') }} as seen_date,
    batches.landed_at as seen_at,
    numbered.is_tombstone as is_withdrawn,
    numbered.record_id
from numbered
inner join {{ source('raw', 'batch') }} as batches on numbered.batch_id = batches.batch_id
inner join {{ source('reference', 'channel') }} as channels on numbered.channel = channels.channel
left join {{ ref('int_reports__located') }} as reports on numbered.report_id = reports.report_id
where reports.report_id is not null or numbered.is_gone
