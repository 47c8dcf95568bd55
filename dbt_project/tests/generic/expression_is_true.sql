{% test expression_is_true(model, rules, keys) %}
    {#- Every rule is true for every row; null counts as false. The test stores the keys of a failing row,
        once per rule that it breaks, and no texts, because auditors read the stored rows. -#}
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
