{% macro open_to_readers() -%}
    select ops.open_to_readers('{{ this.include(database=false) }}')
{%- endmacro %}
