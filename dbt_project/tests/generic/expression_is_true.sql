{% test expression_is_true(model, rules, keys) %}
    {#- Every rule holds for every row; of a failing row the keys are kept, once per rule that it
        breaks: auditors read them, and nobody's words. A rule that cannot be decided (null) is
        broken. -#}
    select
        broken.rule,
        {%- for key in keys %}
        checked.{{ key }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }} as checked
    cross join lateral (
        values
        {%- for rule, condition in rules.items() %}
        ('{{ rule }}', {{ condition }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as broken (rule, is_kept)
    where broken.is_kept is not true
{% endtest %}
