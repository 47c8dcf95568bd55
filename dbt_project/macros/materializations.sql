{# How models are built. A full build makes new tables, as dbt's own materializations do. An increment changes
   the rows of the existing tables: this needs fewer statements, and keeps the views over a table. #}

{% materialization table, adapter='postgres' -%}
    {{ return(build_table('replace_all')) }}
{%- endmaterialization %}

{% materialization incremental, adapter='postgres' -%}
    {{ return(build_table(config.get('incremental_strategy'))) }}
{%- endmaterialization %}

{% materialization view, adapter='postgres' -%}
    {#- dbt's own materialization renames a new view over the old one, which needs twice as many statements. -#}
    {%- set existing = load_cached_relation(this) -%}
    {%- set view = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        {%- if existing %}drop {{ existing.type }} if exists {{ existing }} cascade;{% endif %}
        {{ get_create_view_as_sql(view, sql) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [view]}) }}
{%- endmaterialization %}

{% macro build_table(strategy) -%}
    {%- if should_full_refresh() or load_cached_relation(this) is none -%}
        {{ return(dbt.materialization_table_default()) }}
    {%- endif -%}
    {%- set table = this.incorporate(type='table') -%}
    {%- set selected = make_temp_relation(table) -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement() -%}
        {{ get_create_table_as_sql(true, selected, sql) }}
    {%- endcall -%}
    {%- call statement('main') -%}
        {{ adapter.get_incremental_strategy_macro(context, strategy)({
            'target_relation': table,
            'temp_relation': selected,
            'unique_key': config.get('unique_key'),
            'dest_columns': shared_columns(table, selected)
        }) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [table]}) }}
{%- endmacro %}

{% macro shared_columns(table, selected) -%}
    {#- The columns, which must be the same in both tables. dbt's macros look them up five times. -#}
    {%- set found = run_query(
        "select names from (select string_agg(attname, ',' order by attnum) as names,"
        ~ " array_agg(format_type(atttypid, atttypmod) order by attnum) as types from pg_attribute"
        ~ " where attrelid in ('" ~ table ~ "'::regclass, '" ~ selected ~ "'::regclass)"
        ~ " and attnum > 0 and not attisdropped group by attrelid) as tables group by names, types"
    ) -%}
    {%- if found | length > 1 -%}
        {%- do exceptions.raise_compiler_error(
            "the columns of " ~ table ~ " have changed: run 'lumbung build --full-refresh'"
        ) -%}
    {%- endif -%}
    {%- set columns = [] -%}
    {%- for name in found[0][0].split(',') -%}
        {%- do columns.append({'name': name}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{% macro get_incremental_replace_all_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) -%}
    truncate {{ arguments.target_relation }};
    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}
