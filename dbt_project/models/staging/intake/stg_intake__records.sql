{#- One row per delivery as it now stands: the latest version of every (channel, source_id), unless
    that version says that the source withdrew it. In an increment only deliveries with a new version
    (stg_intake__changes): what is behind keeps its own state. The columns come from the channels' field maps,
    compiled to literal paths: a corrected map is applied by the next build. A value longer than its
    bound is not read: no model behind this one meets a text that an index or a cast cannot take. -#}
{#- Named here, so that dbt finds the dependencies while it parses the project. -#}
{% set channel_table = source('reference', 'channel') -%}
{% set field_table = source('reference', 'channel_field') -%}
{% set province = channel_province('c') -%}

{% set fields = canonical_fields() -%}

{#- {channel: {record_kind, province_code, fields: {field: [{label, scheme, separator}]}}} -#}
{% set maps = {} -%}
{% if execute -%}
    {% set rows = run_query(
        "select c.channel, c.record_kind, f.field, f.source_label, f.scheme, f.separator,"
        ~ " c.has_receipt_time, c.is_message, c.state = 'removed', " ~ province
        ~ " from " ~ channel_table ~ " as c"
        ~ " left join " ~ field_table ~ " as f using (channel)"
        ~ " order by c.channel, f.field, f.position"
    ) -%}
    {% for row in rows -%}
        {% set map = maps.setdefault(row[0], {
            'record_kind': row[1], 'has_receipt_time': row[6], 'is_message': row[7],
            'is_removed': row[8], 'province_code': row[9], 'fields': {}
        }) -%}
        {% if row[2] -%}
            {% do map['fields'].setdefault(row[2], []).append(
                {'label': row[3], 'scheme': row[4], 'separator': row[5]}
            ) -%}
        {% endif -%}
    {% endfor -%}
{% endif -%}

with mapped as (
{% for channel, map in maps.items() -%}
    select
        record_id,
        channel,
        source_id,
        {{ sql_text(map.province_code) }}::text as province_code,
        md5(channel || '/' || source_id) as delivery_id,
        batch_id,
        received_at,
        subject_token,
        {{ 'true' if map.has_receipt_time else 'false' }} as has_receipt_time,
        {{ 'true' if map.is_removed else 'false' }} as is_removed,
        {{ sql_text(map.record_kind) }}::text as default_record_kind,
        {% if map.is_message -%}
            coalesce(payload ->> 'Tanda', '') not like 'templat%' as is_free_text
        {%- else -%}
            false as is_free_text
        {%- endif %}
        {%- for field in fields %},
        {% if field.parser == 'list' -%}
            {{ mapped_list(map.fields.get(field.name)) }} as {{ field.column }}
        {%- else -%}
            {{ mapped_text(map.fields.get(field.name)) }} as {{ field.column }}
        {%- endif %}
        {%- if field.parser == 'code' %},
        {{ mapped_scheme(map.fields.get(field.name)) }} as {{ field.name }}_scheme
        {%- endif %}
        {%- endfor %}
    from (
        select distinct on (source_id) *
        from {{ source('raw', 'record') }}
        where
            channel = {{ sql_text(channel) }}
            {% if is_increment() -%}
            and (
                {{ is_new('record_id') }}
                -- uses the index of source keys, which is not unique
                or source_key = any(array(
                    select decisions.source_key
                    from {{ source('ops', 'exclusion_decision') }} as decisions
                    where decisions.channel = {{ sql_text(channel) }} and {{ is_decided_now() }}
                ))
                and source_id in (
                    select decisions.source_id
                    from {{ source('ops', 'exclusion_decision') }} as decisions
                    where decisions.channel = {{ sql_text(channel) }} and {{ is_decided_now() }}
                )
                and {{ is_known('record_id') }}
            )
            {%- else -%}
            and {{ is_known('record_id') }}
            {%- endif %}
        order by source_id, record_id desc
    ) as current_version
    where not is_tombstone
    {% if not loop.last %}
    union all
    {% endif %}
{% else -%}
    select
        record_id,
        channel,
        source_id,
        null::text as province_code,
        md5(channel || '/' || source_id) as delivery_id,
        batch_id,
        received_at,
        subject_token,
        true as has_receipt_time,
        false as is_removed,
        null::text as default_record_kind,
        false as is_free_text
        {%- for field in fields %},
        null::{{ 'text[]' if field.parser == 'list' else 'text' }} as {{ field.column }}
        {%- if field.parser == 'code' %},
        null::text as {{ field.name }}_scheme
        {%- endif %}
        {%- endfor %}
    from {{ source('raw', 'record') }}
    where false
{% endfor %}
)

select
    record_id,
    channel,
    source_id,
    province_code,
    delivery_id,
    batch_id,
    received_at,
    left(encode(
        sha256((select salts.salt from {{ source('ops', 'reporter_salt') }} as salts) || subject_token), 'hex'
    ), 32) as reporter_key,
    has_receipt_time,
    default_record_kind,
    is_free_text,
    is_removed
    or delivery_id in (select exclusions.delivery_id from {{ ref('stg_ops__exclusions') }} as exclusions)
        as is_excluded
    {%- for field in fields %},
    {{ bounded(field.column) }} as {{ field.column }}
    {%- if field.parser == 'code' %},
    {{ field.name }}_scheme
    {%- endif %}
    {%- endfor %},
    {{ test_score(fields) }} as test_score,
    -- The fields whose values exceed the maximum length.
    array_remove(array[
        {%- for field in fields %}
        case when {{ is_too_long(field.column) }} then '{{ field.name }}' end {{- ',' if not loop.last }}
        {%- endfor %}
    ], null) as too_long_fields
from mapped
