{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- In the warehouse schemas are named exactly as configured: staging, intermediate, marts, reporting,
        reference, checks, so that readers find one name on every installation. The suffix is
        for a point-in-time build beside the current one (lumbung.warehouse.point_in_time). A developer's
        schemas have the developer's name as prefix. -#}
    {%- if is_warehouse() -%}
        {{ (custom_schema_name or target.schema) | trim }}{{ var('schema_suffix') }}
    {%- else -%}
        {{ target.schema }}{{ '_' ~ custom_schema_name | trim if custom_schema_name }}
    {%- endif -%}
{%- endmacro %}
