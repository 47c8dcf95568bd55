{% test is_key(model, columns) %}
    {#- Every column is there and together they name one row. -#}
    {%- set key = columns | join(', ') %}
    select
        {{ key }},
        count(*) as row_count
    from {{ model }}
    group by {{ key }}
    having
        count(*) > 1
        {%- for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
