{#- One row per delivery as it now stands: the latest version of every (channel, source_id), unless
    that version says that the source withdrew it. The columns come from the channels' field maps,
    compiled to literal paths: a corrected map is applied by the next build. -#}
-- depends_on: {{ source('reference', 'channel') }}
-- depends_on: {{ source('reference', 'channel_field') }}
{% set maps = channel_maps() -%}
{% set fields = canonical_fields() -%}

{% for channel, map in maps.items() -%}
    select
        record_id,
        channel,
        source_id,
        batch_id,
        received_at,
        {{ sql_text(map.record_kind) }}::text as default_record_kind
        {%- for field, kind in fields.items() %},
        {% if kind == 'list' -%}
            {{ mapped_list(map.fields.get(field)) }} as {{ field }}_list
        {%- else -%}
            {{ mapped_text(map.fields.get(field)) }} as {{ field }}_raw
        {%- endif %}
        {%- if kind == 'code' %},
        {{ mapped_scheme(map.fields.get(field)) }} as {{ field }}_scheme
        {%- endif %}
        {%- endfor %}
    from (
        select distinct on (source_id) *
        from {{ source('raw', 'record') }}
        where channel = {{ sql_text(channel) }}
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
        batch_id,
        received_at,
        null::text as default_record_kind
        {%- for field, kind in fields.items() %},
        {% if kind == 'list' -%}
            null::text [] as {{ field }}_list
        {%- else -%}
            null::text as {{ field }}_raw
        {%- endif %}
        {%- if kind == 'code' %},
        null::text as {{ field }}_scheme
        {%- endif %}
        {%- endfor %}
    from {{ source('raw', 'record') }}
    where false
{% endfor %}
