{% macro list_affected_keys() -%}
    {#- A view of the keys (`unique_key`) of a mart whose rows an increment may have changed: only these are
        compared when the increment is published. Full builds make the view, also if they are built as of a
        given date; increments of a later day read it. -#}
    {%- set affected_keys = config.get('meta', {}).get('affected_keys') if execute -%}
    {%- if affected_keys and is_warehouse() and not var('schema_suffix') -%}
        {%- set view = this.incorporate(path={'identifier': this.identifier ~ '__affected'}) -%}
        {%- set judged_date -%}
            (select max({{ judged_on() }}) from intermediate.int_deadlines__judged)
        {%- endset -%}
        drop view if exists {{ view }};
        create view {{ view }} ({{ config.get('unique_key') | join(', ') }}) as
        {{ affected_rows(affected_keys, this, judged_date if var('as_of_date') else as_of_date()) }}
    {%- endif -%}
{%- endmacro %}
