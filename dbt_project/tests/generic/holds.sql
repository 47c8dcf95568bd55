{% test holds(model, rules) %}
    {#- Every rule holds for every row; a failing row is kept once per rule that it breaks. A rule
        that cannot be decided (null) is broken. -#}
    select
        broken.rule,
        checked.*
    from {{ model }} as checked
    cross join lateral (
        values
        {%- for rule, condition in rules.items() %}
        ('{{ rule }}', {{ condition }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as broken (rule, is_kept)
    where broken.is_kept is not true
{% endtest %}
