{% test relationships_of_seeds(model, references) %}
    {#- Every code that a seed uses is in the seed that lists them: an unlisted code would count in no metric
        without an error. `references` are 'seed.column -> seed.column'. -#}
    {%- for reference in references %}
    {%- set sides = reference.split(' -> ') %}
    {%- set naming = sides[0].split('.') %}
    {%- set listing = sides[1].split('.') %}
    select
        '{{ reference }}' as reference,
        naming.{{ naming[1] }}::text as code
    from {{ ref(naming[0]) }} as naming
    left join {{ ref(listing[0]) }} as listing on naming.{{ naming[1] }} = listing.{{ listing[1] }}
    where naming.{{ naming[1] }} is not null and listing.{{ listing[1] }} is null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{% endtest %}
