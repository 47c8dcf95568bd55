{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- Schemas are named exactly as configured: staging, intermediate, marts, reporting, reference,
        checks. Nothing is prefixed, so that readers find one name on every installation. The suffix
        is for a warehouse of the past beside the present one (lumbung.warehouse.point_in_time). -#}
    {{ (custom_schema_name or target.schema) | trim }}{{ var('schema_suffix') }}
{%- endmacro %}
