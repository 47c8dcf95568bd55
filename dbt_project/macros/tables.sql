{# How a table is built: planner settings before, statistics after its rows are inserted. #}

{% macro after_full_build(statement) -%}
    {#- A statement that runs only after a full build of a table. -#}
    {%- if should_full_refresh() -%}{{ statement }}{%- endif -%}
{%- endmacro %}

{% macro advise_planner() -%}
    {#- PostgreSQL misestimates intermediate results and chooses on-disk merge joins, up to 3 times slower
        than hash joins: disable them. In an increment, let the planner reorder all joins of a model, so that
        it starts from the few affected rows, and assume SSDs, so that it looks them up by index. -#}
    set enable_mergejoin = off
    {%- if is_increment() %};
    set random_page_cost = 1.1;
    set join_collapse_limit = 11;
    set from_collapse_limit = 11
    {%- endif -%}
{%- endmacro %}
