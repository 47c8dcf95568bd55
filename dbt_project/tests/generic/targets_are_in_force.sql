{% test targets_are_in_force(model) %}
    {#- The body to which a case is forwarded takes such cases at that time: KASN, later BKN. -#}
    select
        reports.report_id,
        reports.forwarding_target_code,
        reports.received_date
    from {{ model }} as reports
    left join {{ ref('forwarding_target') }} as targets
        on
            reports.forwarding_target_code = targets.forwarding_target_code
            and reports.received_date between targets.valid_from and targets.valid_to
    where reports.forwarding_target_code is not null and targets.forwarding_target_code is null
{% endtest %}
