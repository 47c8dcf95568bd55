{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- In the warehouse schemas are named exactly as configured: staging, intermediate, marts, reporting,
        reference, checks, so that readers find one name on every installation. The suffix is for a
        warehouse of the past beside the present one (lumbung.warehouse.point_in_time). A developer's
        schemas have the developer's name before it. -#}
    {%- if is_warehouse() -%}
        {{ (custom_schema_name or target.schema) | trim }}{{ var('schema_suffix') }}
    {%- else -%}
        {{ target.schema }}{{ '_' ~ custom_schema_name | trim if custom_schema_name }}
    {%- endif -%}
{%- endmacro %}
