{# How a table is made: what the planner is told before, which keys and statistics it gets when its rows
   are in. #}

{% macro after_full_build(statement) -%}
    {#- A statement for a table that was just made whole: an increment finds it done. -#}
    {%- if should_full_refresh() -%}{{ statement }}{%- endif -%}
{%- endmacro %}

{% macro get_table_columns_and_constraints() -%}
    {#- A contract's table is made without its keys; make_keys() adds them when the rows are in. -#}
    ({{ adapter.render_raw_columns_constraints(raw_columns=model['columns']) | join(', ') }})
{%- endmacro %}

{% macro make_keys() -%}
    {#- Built whole, an index costs a fraction of one that grows at random places. -#}
    {%- if execute and (config.get('materialized') == 'table' or should_full_refresh()) -%}
        {%- for key in adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
            alter table {{ this }} add {{ key }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro advise_planner() -%}
    {#- It knows nothing of what a select makes on its way, and sorts both sides of a join on the disk
        where a hash would fit (measured: up to 3 times as long). An increment's few rows are to be looked up
        before anything is joined to them: through every join of a model, on disks that do not turn. -#}
    set enable_mergejoin = off
    {%- if is_increment() %};
    set random_page_cost = 1.1;
    set join_collapse_limit = 11;
    set from_collapse_limit = 11
    {%- endif -%}
{%- endmacro %}
