{# Grants for readers of the warehouse; a developer's schemas get none. #}

{% macro open_to_readers() -%}
    {%- if is_warehouse() -%}
        select ops.open_to_readers('{{ this.include(database=false) }}')
    {%- endif -%}
{%- endmacro %}

{% macro open_seed_to_readers() -%}
    {%- if is_warehouse() -%}
        grant select on {{ this }} to analyst_regency, analyst_province, publisher, auditor
    {%- endif -%}
{%- endmacro %}

{% macro make_regency_roles() -%}
    {%- if is_warehouse() -%}
        select ops.make_regency_roles(array_agg(regency_code)) from {{ this }} where not is_unknown
    {%- endif -%}
{%- endmacro %}
