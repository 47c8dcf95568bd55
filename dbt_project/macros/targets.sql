{# Two targets: `warehouse` has the schemas that readers use, `dev` a developer's own schemas. #}

{% macro is_warehouse() -%}
    {#- Whether this run builds the schemas that readers use. -#}
    {{ return(target.name == 'warehouse') }}
{%- endmacro %}

{% macro refuse_a_foreign_build() -%}
    {#- A build of the warehouse needs synced channels, its row in ops.build, which says what is new, and
        the lock against a second build. Only lumbung.warehouse.build provides all three. -#}
    {%- if execute and is_warehouse() and env_var('LUMBUNG_RUNS_DBT', '') != '1'
        and flags.WHICH in ('build', 'run', 'seed', 'snapshot', 'test', 'retry', 'clone') -%}
        {%- do exceptions.raise_compiler_error(
            "dbt " ~ flags.WHICH ~ " would write what readers see, without the build's lock and without its row"
            ~ " in ops.build, which says what is new. Run 'lumbung build' instead, or leave out"
            ~ " '--target warehouse' to build schemas of your own."
        ) -%}
    {%- endif -%}
{%- endmacro %}

{% macro should_full_refresh() -%}
    {#- As dbt's own macro, but a developer's schemas always get a full build: only the warehouse records
        what is new since its last build. -#}
    {%- set configured = config.get('full_refresh') -%}
    {%- if not is_warehouse() -%}
        {{ return(true) }}
    {%- elif configured is not none -%}
        {{ return(configured) }}
    {%- else -%}
        {{ return(flags.FULL_REFRESH) }}
    {%- endif -%}
{%- endmacro %}
