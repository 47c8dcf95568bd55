{% macro make_regency_roles() -%}
    {#- Roles of the regencies' analysts, in the warehouse only. -#}
    {%- if is_warehouse() -%}
        select ops.make_regency_roles(array_agg(regency_code)) from {{ this }} where not is_unknown
    {%- endif -%}
{%- endmacro %}
