{# What the channels' field maps become: SQL with literal paths, compiled before every build. #}

{% macro canonical_fields() -%}
    {#- The fields a channel may map (docs/architecture.md): staging column -> kind. -#}
    {{ return({
        'register_number': 'text', 'record_kind': 'text', 'activity_kind': 'text',
        'received_date': 'text', 'known_date': 'text', 'occurred_date': 'text',
        'activity_date': 'text', 'period_date': 'text',
        'regency': 'text', 'district': 'text', 'village': 'text',
        'regency_code': 'code', 'district_code': 'code', 'village_code': 'code',
        'issue': 'list', 'violation_type': 'list',
        'accused_role': 'text', 'status': 'text', 'status_reason': 'text',
        'election': 'text', 'method': 'text', 'prevention_type': 'text', 'narrative': 'text'
    }) }}
{%- endmacro %}

{% macro channel_maps() -%}
    {#- {channel: {'record_kind': text or none, 'fields': {field: [{label, scheme, separator}]}}} -#}
    {%- set maps = {} -%}
    {%- if execute -%}
        {%- set rows = run_query(
            "select c.channel, c.record_kind, f.field, f.source_label, f.scheme, f.separator"
            ~ " from " ~ source('reference', 'channel') ~ " as c"
            ~ " left join " ~ source('reference', 'channel_field') ~ " as f using (channel)"
            ~ " order by c.channel, f.field, f.position"
        ) -%}
        {%- for row in rows -%}
            {%- do maps.setdefault(row[0], {'record_kind': row[1], 'fields': {}}) -%}
            {%- if row[2] -%}
                {%- do maps[row[0]]['fields'].setdefault(row[2], []).append(
                    {'label': row[3], 'scheme': row[4], 'separator': row[5]}
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(maps) }}
{%- endmacro %}

{% macro sql_text(value) -%}
    {%- if value is none -%}null{%- else -%}'{{ value | replace("'", "''") }}'{%- endif -%}
{%- endmacro %}

{% macro mapped_text(aliases) -%}
    {#- The first alias of a field that has something in it. -#}
    {%- if not aliases -%}
        null::text
    {%- else -%}
        coalesce(
            {%- for alias in aliases -%}
                nullif(btrim(payload ->> {{ sql_text(alias.label) }}), '')
                {%- if not loop.last %}, {% endif -%}
            {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}

{% macro mapped_scheme(aliases) -%}
    {#- The code system that belongs to the alias which mapped_text() took. -#}
    {%- if not aliases -%}
        null::text
    {%- else -%}
        case
            {%- for alias in aliases %}
                when nullif(btrim(payload ->> {{ sql_text(alias.label) }}), '') is not null
                    then {{ sql_text(alias.scheme) }}
            {%- endfor %}
        end::text
    {%- endif -%}
{%- endmacro %}

{% macro mapped_list(aliases) -%}
    {#- The terms of a list, split as the channel says; without a separator it is one term. -#}
    {%- if not aliases -%}
        null::text []
    {%- else -%}
        coalesce(
            {%- for alias in aliases -%}
                string_to_array(
                    nullif(btrim(payload ->> {{ sql_text(alias.label) }}), ''),
                    {{ sql_text(alias.separator or '\x1f') }}
                )
                {%- if not loop.last %}, {% endif -%}
            {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}
