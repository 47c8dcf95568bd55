{# What of raw a build rests on. #}

{% macro max_batch_id() -%}
    {#- The last batch that belongs to the build: the one that `ops.build` names for the build that is
        running, read while a model is compiled, because a variable that changes with every build
        would make dbt parse the whole project each time. The variable is for what was known then. -#}
    {%- if var('max_batch_id') is not none -%}
        {{ var('max_batch_id') }}
    {%- elif execute -%}
        {%- for row in run_query("select max_batch_id from ops.build where state = 'running'") -%}
            {{ row[0] }}
        {%- else -%}
            4398046511104
        {%- endfor -%}
    {%- else -%}
        4398046511104
    {%- endif -%}
{%- endmacro %}

{% macro is_known(record_id) -%}
    {#- Whether a record belongs to the build: its batch is in the upper bits of its id. -#}
    {{ record_id }} < ({{ max_batch_id() }}::bigint + 1) << 20
{%- endmacro %}
