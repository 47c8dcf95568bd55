{# What of raw a build rests on, and what of it is new. A build's numbers are read from `ops.build`
   while a model is compiled: a variable that changes with every build would make dbt parse the
   whole project each time. #}

{% macro is_increment() -%}
    {#- Whether this build brings only what changed (lumbung.warehouse.build decides). -#}
    {{ return(execute and not should_full_refresh()) }}
{%- endmacro %}

{% macro of_running_build(column, otherwise) -%}
    {#- A number of the build that is running; `otherwise` outside of a build, and where it has none. -#}
    {%- if execute -%}
        {%- for row in run_query("select " ~ column ~ " from ops.build where state = 'running'") -%}
            {{ otherwise if row[0] is none else row[0] }}
        {%- else -%}
            {{ otherwise }}
        {%- endfor -%}
    {%- else -%}
        {{ otherwise }}
    {%- endif -%}
{%- endmacro %}

{% macro max_batch_id() -%}
    {#- The last batch that belongs to the build. The variable is for what was known then. -#}
    {%- if var('max_batch_id') is not none -%}
        {{ var('max_batch_id') }}
    {%- else -%}
        {{ of_running_build('max_batch_id', 4398046511104) }}
    {%- endif -%}
{%- endmacro %}

{% macro is_known(record_id) -%}
    {#- Whether a record belongs to the build: its batch is in the upper bits of its id. -#}
    {{ record_id }} < ({{ max_batch_id() }}::bigint + 1) << 20
{%- endmacro %}

{% macro is_new(record_id) -%}
    {#- Whether it was landed since the last whole build that succeeded. -#}
    {{ record_id }} >= ({{ of_running_build('since_batch_id', 0) }}::bigint + 1) << 20
    and {{ is_known(record_id) }}
{%- endmacro %}
