{{ config(materialized='view') }}
{#- One row per version of a delivery of the channels that map a status: what the source said of it
    each time it changed. Read once, by int_status_events__ordered. -#}
{% set field_table = source('reference', 'channel_field') -%}
{% set maps = {} -%}
{% if execute -%}
    {% set rows = run_query(
        "select channel, source_label from " ~ field_table
        ~ " where field = 'status' order by channel, position"
    ) -%}
    {% for row in rows -%}
        {% do maps.setdefault(row[0], []).append({'label': row[1]}) -%}
    {% endfor -%}
{% endif -%}
{% for channel, aliases in maps.items() -%}
    select
        record_id,
        channel,
        source_id,
        source_key,
        batch_id,
        {{ mapped_text(aliases) }} as status_raw
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
        null::text as status_raw
    from {{ source('raw', 'record') }}
    where false
{% endfor %}
