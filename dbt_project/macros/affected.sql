{% macro list_affected_keys() -%}
    {#- In an increment, a view of the keys (`unique_key`) whose rows may have changed in a mart, before
        or after: only those are compared when the mart is published. -#}
    {%- if execute -%}
        {%- set affected = this.incorporate(path={'identifier': this.identifier ~ '__affected'}) -%}
        {%- set readers = this.incorporate(path={'schema': this.schema | replace(var('next_suffix'), '')}) -%}
        {%- set scope = config.get('meta', {}).get('affected_keys') -%}
        drop view if exists {{ affected }}
        {%- if scope and is_increment() and run_query("select to_regclass('" ~ readers ~ "')")[0][0] %};
        create view {{ affected }} ({{ config.get('unique_key') | join(', ') }}) as
        {{ affected_rows(scope, readers) }}
        union
        {{ affected_rows(scope, this) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
