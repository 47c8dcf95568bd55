{# How an increment replaces what changed. A model names its key (`unique_key`) and the scope of what
   may have changed (`meta.affected_keys`); an increment computes the rows of that scope anew, and one
   transaction deletes those that are no longer so and inserts the new ones. The same scope limits
   what tests look at. #}

{% macro affected_rows(scope, relation) -%}
    {#- A select of the keys in a scope. Relations are named without ref(), because tests and the
        strategy need them too: is_affected() declares the dependency. -#}
    {%- set changed = 'select delivery_id from staging.stg_intake__changes' -%}
    {%- set affected = 'select report_id from intermediate.int_report_pairs__affected' -%}
    {%- if scope == 'delivery' -%}
        {{ changed }}
    {%- elif scope == 'deadline' -%}
        {#- time itself changes the deadlines that run -#}
        {{ changed }}
        union all
        select report_id from {{ relation }}
        where {{ judged_on() }} < {{ as_of_date() }} or {{ judged_on() }} > {{ as_of_date() }}
    {%- elif scope == 'block' -%}
        select block_id from intermediate.int_report_blocks__previous
        union
        select block_id from intermediate.int_report_blocks__assigned where report_id in ({{ changed }})
    {%- elif scope == 'affected_report' -%}
        {{ affected }}
    {%- elif scope == 'pair' -%}
        select report_id_a, report_id_b from {{ relation }} where report_id_a in ({{ affected }})
        union
        select report_id_a, report_id_b from {{ relation }} where report_id_b in ({{ affected }})
        union
        select report_id_a, report_id_b from ops.link_decision
        where decision_id > {{ of_running_build('since_decision_id', 0) }}
    {%- elif scope == 'review' -%}
        {#- of a delivery, of either case of a pair, and what is about no single delivery -#}
        select item_id from {{ relation }} where delivery_id in ({{ changed }})
        union
        select item_id from {{ relation }} where delivery_id in ({{ affected }}) and other_id is not null
        union
        select item_id from {{ relation }} where other_id in ({{ affected }})
        union
        select report_id_a || '/' || report_id_b from ops.link_decision
        where decision_id > {{ of_running_build('since_decision_id', 0) }}
        union
        select item_id from {{ relation }} where delivery_id is null
    {%- elif scope == 'day' -%}
        select regency_code, date_day from intermediate.int_keys__affected
    {%- elif scope == 'week' -%}
        select distinct regency_code, week_id from intermediate.int_keys__affected
    {%- elif scope == 'metric' -%}
        select regency_code, week_id from intermediate.int_metrics__affected
    {%- elif scope == 'profile' -%}
        {#- a week's profile compares with the province, and rests on every week before -#}
        select distinct week_id from intermediate.int_metrics__affected
    {%- elif scope == 'excluded' -%}
        select channel, reason_code, week_id from intermediate.int_keys__previous
        where reason_code is not null
        union
        select channel, reason_code, coalesce(week_id, '') from intermediate.int_records__excluded
        where delivery_id in ({{ changed }})
    {%- elif scope == 'stale' -%}
        {#- what was left in builds before the last whole one that succeeded is done with -#}
        select build_id from {{ relation }}
        where build_id <= {{ of_running_build('since_build_id', 0) }}
    {%- endif -%}
{%- endmacro %}

{% macro judged_on() -%}
    {#- The day on which a deadline that runs was judged. Indexed as it stands here: an index over an
        expression tells the planner how many there are; it finds less and more, not what differs. -#}
    (case when end_to_date is null then as_of_date end)
{%- endmacro %}

{% macro is_affected(columns, scope, relation=none) -%}
    {#- A condition: whether these columns of a row are of the scope; true in a full build. -#}
    {%- set needed = {
        'day': 'int_keys__affected', 'week': 'int_keys__affected',
        'metric': 'int_metrics__affected', 'profile': 'int_metrics__affected', 'excluded': 'int_keys__previous',
        'block': 'int_report_blocks__previous', 'affected_report': 'int_report_pairs__affected',
        'pair': 'int_report_pairs__affected',
    } -%}
    {%- if not execute -%}
        {#- said while the project is read; a unit test has no such input -#}
        {%- do ref(needed.get(scope, 'stg_intake__changes')) -%}
    {%- endif -%}
    {%- if is_incremental() -%}
        ({{ columns }}) in ({{ affected_rows(scope, relation or this) }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro get_incremental_replace_sql(arguments) -%}
    {#- Rows that came out as they were are left alone: most metrics of a later week, the other fields
        of an edited record. `except all`, so that a row computed twice still breaks its key. -#}
    {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) -%}
    {%- set scope = config.get('meta', {}).get('affected_keys') -%}
    create temporary table was on commit drop as
    select ctid as place, {{ columns }} from {{ arguments.target_relation }}
    where ({{ arguments.unique_key | join(', ') }}) in (
        {{ affected_rows(scope, arguments.target_relation) }}
    );
    delete from {{ arguments.target_relation }}
    where ctid = any(array(
        select min(place)
        from (
            select place, {{ columns }} from was
            union all
            select null as place, {{ columns }} from {{ arguments.temp_relation }}
        ) as either
        group by {{ columns }}
        having count(*) = 1 and count(place) = 1
    ));
    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
    except all
    select {{ columns }} from was
{%- endmacro %}

{% macro get_where_subquery(relation) -%}
    {#- What a test of a model looks at: in an increment, the rows of its scope. -#}
    {%- set node = graph.nodes.get('model.lumbung.' ~ relation.identifier) if is_increment() -%}
    {%- set scope = node.config.meta.get('affected_keys') if node -%}
    {%- if scope == 'metric' -%}
        {#- The province is the sum of all regencies, and metrics to date go on from the week before. -#}
        {%- set from_week -%}
            select min(week_id) from intermediate.int_metrics__affected
        {%- endset -%}
        {%- do return("(select * from " ~ relation ~ " where week_id >= (select coalesce(max(weeks.week_id), '')"
            ~ " from intermediate.int_weeks__spanned as weeks where weeks.week_id < (" ~ from_week ~ "))"
            ~ " and (" ~ from_week ~ ") is not null)") -%}
    {%- elif scope -%}
        {%- do return("(select * from " ~ relation ~ " where (" ~ node.config.unique_key | join(', ') ~ ") in ("
            ~ affected_rows(scope, relation) ~ "))") -%}
    {%- else -%}
        {%- do return(relation) -%}
    {%- endif -%}
{%- endmacro %}
