{% test words_are_known(model) %}
    {#- Words for review: those that no map_* seed knows. A recap has methods of campaigning and
        kinds of prevention in one column; a word of either is known. -#}
    select terms.*
    from {{ model }} as terms
    where
        terms.code is null
        and not terms.is_blank
        and not exists (
            select 1
            from {{ model }} as others
            where
                terms.vocabulary in ('method', 'prevention_type')
                and others.vocabulary in ('method', 'prevention_type')
                and others.term_raw = terms.term_raw
                and others.code is not null
        )
{% endtest %}
