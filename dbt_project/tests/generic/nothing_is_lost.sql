{% test nothing_is_lost(model) %}
    {#- Every current delivery is typed, and then either counted as a case or an activity, or excluded: no
        join drops or duplicates one. -#}
    select
        records.record_id,
        typed.exclusion_code
    from {{ ref('stg_intake__records') }} as records
    left join {{ model }} as typed
        on records.delivery_id = typed.delivery_id and records.record_id = typed.record_id
    where typed.record_id is null
{% endtest %}
