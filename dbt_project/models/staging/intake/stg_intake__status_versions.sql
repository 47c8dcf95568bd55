{{ config(materialized='view') }}
{#- One row per version of a delivery, for the channels that map a status or a legal number. Read only by
    int_status_events__ordered. -#}
{% set field_table = source('reference', 'channel_field') -%}
{% set maps = {} -%}
{% if execute -%}
    {% set rows = run_query(
        "select channel, field, source_label from " ~ field_table
        ~ " where field in ('status', 'register_number') order by channel, field, position"
    ) -%}
    {% for row in rows -%}
        {% do maps.setdefault(row[0], {}).setdefault(row[1], []).append({'label': row[2]}) -%}
    {% endfor -%}
{% endif -%}
with mapped as (
{% for channel, fields in maps.items() -%}
    select
        record_id,
        channel,
        source_id,
        source_key,
        batch_id,
        {{ mapped_text(fields.status) }} as status_raw,
        {{ mapped_text(fields.register_number) }} as register_number_raw
    from {{ source('raw', 'record') }}
    where channel = {{ sql_text(channel) }} and not is_tombstone and {{ is_known('record_id') }}
    {% if not loop.last %}
    union all
    {% endif %}
{% else -%}
    select
        record_id,
        channel,
        source_id,
        source_key,
        batch_id,
        null::text as status_raw,
        null::text as register_number_raw
    from {{ source('raw', 'record') }}
    where false
{% endfor %}
)

select
    record_id,
    channel,
    source_id,
    source_key,
    batch_id,
    {{ bounded('status_raw') }} as status_raw,
    {{ bounded('register_number_raw') }} as register_number_raw
from mapped
