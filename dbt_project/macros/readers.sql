{% macro make_regency_roles() -%}
    {#- Roles of the analysts of regencies, and of provinces where there are several, in the warehouse only. -#}
    {%- if is_warehouse() -%}
        select ops.make_regency_roles(array_agg(regency_code)) from {{ this }} where not is_unknown
    {%- endif -%}
{%- endmacro %}
