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

{% macro hold_ids() -%}
    {#- A select of the holds that this build respects. -#}
    {%- if var('hold_ids') is not none -%}
        select unnest('{ {{- var('hold_ids') | join(', ') -}} }'::bigint[])
    {%- else -%}
        select unnest(hold_ids) from ops.build where state = 'running'
    {%- endif -%}
{%- endmacro %}

{% macro held_channels(hold_ids) -%}
    {#- Of a select of holds: (channel, the last batch of it that may be built) of each channel. -#}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for row in run_query(
            "select channel, min(after_batch_id) from ops.channel_hold where hold_id in ("
            ~ hold_ids ~ ") group by channel order by channel"
        ) -%}
            {%- do found.append((row[0], row[1])) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}

{% macro is_known(record_id, channel='channel') -%}
    {#- Whether a record belongs to the build: its id is below those of the next batch. What a held channel
        landed after its hold began does not. -#}
    {{ record_id }} < ops.first_record_id({{ max_batch_id() }}::bigint + 1)
    {%- for held in held_channels(hold_ids()) %}
    and not ({{ channel }} = {{ sql_text(held[0]) }} and {{ record_id }} >= ops.first_record_id({{ held[1] }}::bigint + 1))
    {%- endfor %}
{%- endmacro %}

{% macro is_decided_now() -%}
    {#- Whether a decision on an exclusion came since the last whole build that succeeded. -#}
    decision_id > {{ of_running_build('since_exclusion_id', 0) }}
    and decision_id <= {{ of_running_build('max_exclusion_id', 9223372036854775807) }}
{%- endmacro %}

{% macro is_new(record_id, channel='channel') -%}
    {#- Whether it was landed since the last whole build that succeeded; of a channel that was held then,
        since its hold began. The lowest bound stands alone, so that the key's index is read from there. -#}
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
