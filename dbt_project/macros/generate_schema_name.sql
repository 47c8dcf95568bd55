{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- In the warehouse schemas are named exactly as configured, so that readers find one name on every
        installation. next_suffix is for the schemas in which published tables are built
        (lumbung.warehouse.publish), schema_suffix for a point-in-time build beside the current one
        (lumbung.warehouse.point_in_time). A developer's schemas have the developer's name as prefix. -#}
    {%- if is_warehouse() -%}
        {%- set name = (custom_schema_name or target.schema) | trim -%}
        {%- set is_published = name in ('marts', 'reporting', 'reference') -%}
        {{ name }}{{ var('schema_suffix') or (var('next_suffix') if is_published else '') }}
    {%- else -%}
        {{ target.schema }}{{ '_' ~ custom_schema_name | trim if custom_schema_name }}
    {%- endif -%}
{%- endmacro %}
