{# Codes with their names, for the labelled views (marts/labelled). A label that is missing reads 'Tidak disebutkan':
   the code is then UNSTATED, so that groups add up. #}

{% macro named(code, relation, label, as=none) -%}
    {#- A code and its names in both languages.

        code: the expression of the code; null where the source does not state it.
        relation: alias of the relation that is left joined by the code, with the columns <label>_name and
            <label>_name_en.
        as: prefix of the three columns, if it is not the label. -#}
    {%- set prefix = as or label -%}
    coalesce({{ code }}, 'UNSTATED') as {{ prefix }}_code,
    coalesce({{ relation }}.{{ label }}_name, 'Tidak disebutkan') as {{ prefix }}_name,
    coalesce({{ relation }}.{{ label }}_name_en, 'Not stated') as {{ prefix }}_name_en
{%- endmacro %}

{% macro place(facts) -%}
    {#- Codes and names of a fact's regency and district; joins: regencies, districts. -#}
    {{ facts }}.regency_code,
    regencies.regency_name,
    coalesce({{ facts }}.district_code, 'UNSTATED') as district_code,
    coalesce(districts.district_name, 'Tidak disebutkan') as district_name
{%- endmacro %}

{% macro join_places(facts) -%}
    inner join {{ ref('dim_regency') }} as regencies on {{ facts }}.regency_code = regencies.regency_code
    left join {{ ref('dim_district') }} as districts on {{ facts }}.district_code = districts.district_code
{%- endmacro %}

{% macro terms_by(key, bridge, dimension, label) -%}
    {#- The codes and names that a bridge gives each fact, in the order of the dimension. -#}
    select
        bridges.{{ key }},
        array_agg(bridges.{{ label }}_code order by terms.sort_order, terms.{{ label }}_code) as codes,
        string_agg(terms.{{ label }}_name, '; ' order by terms.sort_order, terms.{{ label }}_code) as names,
        string_agg(terms.{{ label }}_name_en, '; ' order by terms.sort_order, terms.{{ label }}_code)
            as names_en
    from {{ bridge }} as bridges
    inner join {{ dimension }} as terms on bridges.{{ label }}_code = terms.{{ label }}_code
    group by bridges.{{ key }}
{%- endmacro %}
