{# Which rows of raw a build reads, and which of them are new. The bounds are read from `ops.build` while
   a model is compiled: a variable that changes with every build would make dbt parse the whole project
   each time. #}

{% macro is_increment() -%}
    {#- Whether this build is an increment (lumbung.warehouse.build decides). -#}
    {{ return(execute and not should_full_refresh()) }}
{%- endmacro %}

{% macro run_once(statement) -%}
    {#- The rows of a query whose answer is the same for all models of a build: it is sent once. `graph` is the
        one variable that dbt shares between models. -#}
    {%- set answers = graph.setdefault('answers of ' ~ invocation_id, {}) -%}
    {%- if statement not in answers -%}
        {%- do answers.update({statement: run_query(statement).rows}) -%}
    {%- endif -%}
    {{ return(answers[statement]) }}
{%- endmacro %}

{% macro of_running_build(column, otherwise) -%}
    {#- A column of the running build; `otherwise` if no build is running or the column is null. -#}
    {%- if execute -%}
        {%- for row in run_once(
            "select build_id, max_batch_id, max_exclusion_id, since_build_id, since_batch_id, since_exclusion_id"
            ~ " from ops.build where state = 'running'"
        ) -%}
            {{ otherwise if row[column] is none else row[column] }}
        {%- else -%}
            {{ otherwise }}
        {%- endfor -%}
    {%- else -%}
        {{ otherwise }}
    {%- endif -%}
{%- endmacro %}

{% macro max_batch_id() -%}
    {#- The last batch that the build reads. The variable is for point-in-time builds. -#}
    {%- if var('max_batch_id') is not none -%}
        {{ var('max_batch_id') }}
    {%- else -%}
        {{ of_running_build('max_batch_id', 4398046511104) }}
    {%- endif -%}
{%- endmacro %}

{% macro hold_ids() -%}
    {#- A select of the holds that this build applies. -#}
    {%- if var('hold_ids') is not none -%}
        select unnest('{ {{- var('hold_ids') | join(', ') -}} }'::bigint[])
    {%- else -%}
        select unnest(hold_ids) from ops.build where state = 'running'
    {%- endif -%}
{%- endmacro %}

{% macro held_channels(hold_ids) -%}
    {#- Pairs (channel, last batch of it that may be built) for a select of holds. -#}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for row in run_once(
            "select channel, min(after_batch_id) from ops.channel_hold where hold_id in ("
            ~ hold_ids ~ ") group by channel order by channel"
        ) -%}
            {%- do found.append((row[0], row[1])) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}

{% macro is_known(record_id, channel='channel') -%}
    {#- Whether the build reads a record: its id is below those of the next batch, and it was not landed
        after the start of a hold on its channel that this build applies. -#}
    {{ record_id }} < ops.first_record_id({{ max_batch_id() }}::bigint + 1)
    {%- for held in held_channels(hold_ids()) %}
    and not ({{ channel }} = {{ sql_text(held[0]) }} and {{ record_id }} >= ops.first_record_id({{ held[1] }}::bigint + 1))
    {%- endfor %}
{%- endmacro %}

{% macro is_decided_now() -%}
    {#- Whether a decision on an exclusion was made since the last successful build of all models. -#}
    decision_id > {{ of_running_build('since_exclusion_id', 0) }}
    and decision_id <= {{ of_running_build('max_exclusion_id', 9223372036854775807) }}
{%- endmacro %}

{% macro is_new(record_id, channel='channel') -%}
    {#- Whether a record was landed since the last successful build of all models or, for a channel that was
        held in that build, since its hold began. The lowest bound is a condition of its own, so that an
        index scan can start from it. -#}
    {%- set since = of_running_build('since_batch_id', 0) | int -%}
    {%- set lowest = [since] -%}
    {%- set released = [] -%}
    {%- for held in held_channels(
        "select unnest(hold_ids) from ops.build where build_id = ("
        ~ "select since_build_id from ops.build where state = 'running')"
    ) if held[1] < since -%}
        {%- do lowest.append(held[1]) -%}
        {%- do released.append(held) -%}
    {%- endfor -%}
    {{ record_id }} >= ops.first_record_id({{ lowest | min }}::bigint + 1)
    {%- if released %}
    and (
        {{ record_id }} >= ops.first_record_id({{ since }}::bigint + 1)
        {%- for held in released %}
        or {{ channel }} = {{ sql_text(held[0]) }} and {{ record_id }} >= ops.first_record_id({{ held[1] }}::bigint + 1)
        {%- endfor %}
    )
    {%- endif %}
    and {{ is_known(record_id, channel) }}
{%- endmacro %}
