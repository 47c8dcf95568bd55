{# The incremental strategy `replace`. A model names its key (`unique_key`) and the set of keys whose rows may
   have changed (`meta.affected_keys`). An increment recomputes the rows of these keys. Unlike delete+insert,
   one transaction deletes only rows that differ, and inserts the new ones; a key without new rows is deleted
   too. Tests of the model read the rows of the same keys. #}

{% macro affected_rows(affected_keys, relation, today=as_of_date()) -%}
    {#- A select of the affected keys, by the name of their set. Relations are named without ref(), because
        tests and the strategy also use them; is_affected() declares the dependency. -#}
    {%- set changed = 'select delivery_id from staging.stg_intake__changes' -%}
    {%- set affected = 'select report_id from intermediate.int_report_pairs__affected' -%}
    {%- if affected_keys == 'delivery' -%}
        {{ changed }}
    {%- elif affected_keys == 'deadline' -%}
        {#- running deadlines change from day to day -#}
        {{ changed }}
        union all
        select report_id from {{ relation }}
        where {{ judged_on() }} < {{ today }} or {{ judged_on() }} > {{ today }}
    {%- elif affected_keys == 'block' -%}
        select block_id from intermediate.int_report_blocks__previous
        union
        select block_id from intermediate.int_report_blocks__assigned where report_id in ({{ changed }})
    {%- elif affected_keys == 'affected_report' -%}
        {{ affected }}
    {%- elif affected_keys == 'pair' -%}
        select report_id_a, report_id_b from {{ relation }} where report_id_a in ({{ affected }})
        union
        select report_id_a, report_id_b from {{ relation }} where report_id_b in ({{ affected }})
        union
        select report_id_a, report_id_b from ops.link_decision
        where decision_id > (select since_decision_id from ops.build where state = 'running')
    {%- elif affected_keys == 'review' -%}
        {#- items of a delivery, of either case of a pair, and those about no single delivery -#}
        select item_id from {{ relation }} where delivery_id in ({{ changed }})
        union
        select item_id from {{ relation }} where delivery_id in ({{ affected }}) and other_id is not null
        union
        select item_id from {{ relation }} where other_id in ({{ affected }})
        union
        select report_id_a || '/' || report_id_b from ops.link_decision
        where decision_id > (select since_decision_id from ops.build where state = 'running')
        union
        select item_id from {{ relation }} where delivery_id is null
    {%- elif affected_keys == 'day' -%}
        select regency_code, date_day from intermediate.int_keys__affected
    {%- elif affected_keys == 'week' -%}
        select distinct regency_code, week_id from intermediate.int_keys__affected
    {%- elif affected_keys == 'metric' -%}
        select regency_code, week_id from intermediate.int_metrics__affected
    {%- elif affected_keys == 'profile' -%}
        {#- a week's profile compares with the province and depends on every earlier week -#}
        select distinct week_id from intermediate.int_metrics__affected
    {%- elif affected_keys == 'excluded' -%}
        select channel, reason_code, week_id from intermediate.int_keys__previous
        where reason_code is not null
        union
        select channel, reason_code, coalesce(week_id, '') from intermediate.int_records__excluded
        where delivery_id in ({{ changed }})
    {%- elif affected_keys == 'stale' -%}
        {#- rows of builds up to the last successful build of all models are no longer needed -#}
        select build_id from {{ relation }}
        where build_id <= {{ of_running_build('since_build_id', 0) }}
    {%- endif -%}
{%- endmacro %}

{% macro judged_on() -%}
    {#- The day on which a running deadline was judged, as an expression that is indexed as written: the
        statistics of the index give the planner the number of running deadlines. A B-tree serves < and >,
        but not <>. -#}
    (case when end_to_date is null then as_of_date end)
{%- endmacro %}

{% macro is_affected(columns, affected_keys, relation=none) -%}
    {#- A condition: whether these columns of a row are an affected key; true in a full build. -#}
    {%- set needed = {
        'day': 'int_keys__affected', 'week': 'int_keys__affected',
        'metric': 'int_metrics__affected', 'profile': 'int_metrics__affected', 'excluded': 'int_keys__previous',
        'block': 'int_report_blocks__previous', 'affected_report': 'int_report_pairs__affected',
        'pair': 'int_report_pairs__affected',
    } -%}
    {%- if not execute -%}
        {#- declared only while the project is parsed; unit tests lack this input -#}
        {%- do ref(needed.get(affected_keys, 'stg_intake__changes')) -%}
    {%- endif -%}
    {%- if is_incremental() -%}
        ({{ columns }}) in ({{ affected_rows(affected_keys, relation or this) }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro get_incremental_replace_sql(arguments) -%}
    {#- Unchanged rows are neither deleted nor inserted: most rows of a later week are. `except all` keeps
        duplicates, so that a row computed twice violates its key. -#}
    {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) -%}
    {%- set affected_keys = config.get('meta', {}).get('affected_keys') -%}
    create temporary table was on commit drop as
    select ctid as place, {{ columns }} from {{ arguments.target_relation }}
    where ({{ arguments.unique_key | join(', ') }}) in (
        {{ affected_rows(affected_keys, arguments.target_relation) }}
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
    {#- The rows that a test of a model reads: in an increment, those of its affected keys. -#}
    {%- set node = graph.nodes.get('model.lumbung.' ~ relation.identifier) if is_increment() -%}
    {%- set affected_keys = node.config.meta.get('affected_keys') if node -%}
    {%- if affected_keys == 'metric' -%}
        {#- The province sums all regencies, and metrics to date continue those of the week before. -#}
        {%- set from_week -%}
            select min(week_id) from intermediate.int_metrics__affected
        {%- endset -%}
        {%- do return("(select * from " ~ relation ~ " where week_id >= (select coalesce(max(weeks.week_id), '')"
            ~ " from intermediate.int_weeks__spanned as weeks where weeks.week_id < (" ~ from_week ~ "))"
            ~ " and (" ~ from_week ~ ") is not null)") -%}
    {%- elif affected_keys -%}
        {%- do return("(select * from " ~ relation ~ " where (" ~ node.config.unique_key | join(', ') ~ ") in ("
            ~ affected_rows(affected_keys, relation) ~ "))") -%}
    {%- else -%}
        {%- do return(relation) -%}
    {%- endif -%}
{%- endmacro %}
