{% test every_fact_is_in_a_week(model) %}
    {#- The counts by regency and week add up to the number of facts. In an increment, only the affected days
        and weeks are compared. -#}
    {%- if is_increment() -%}
        {%- set is_looked_at = "(regency_code, week_id) in (" ~ affected_rows('week', model) ~ ")" -%}
    {%- else -%}
        {%- set is_looked_at = 'true' -%}
    {%- endif -%}
    select
        facts.name,
        facts.fact_count,
        grid.grid_count
    from (
        select
            'case' as name,
            count(*) as fact_count
        from {{ ref('int_reports__located') }}
        where {{ is_looked_at }}
        union all
        select
            'activity' as name,
            count(*) as fact_count
        from {{ ref('int_activities__located') }}
        where
            (record_kind = 'PREV' and is_form_entry is not true or record_kind = 'LHP' and is_recap)
            and {{ is_looked_at }}
    ) as facts
    inner join (
        select
            'case' as name,
            coalesce(sum(suspected_violation_count + tip_count), 0) as grid_count
        from {{ model }}
        union all
        select
            'activity' as name,
            coalesce(sum(supervision_count + prevention_count), 0) as grid_count
        from {{ model }}
    ) as grid on facts.name = grid.name
    where facts.fact_count <> grid.grid_count
{% endtest %}
