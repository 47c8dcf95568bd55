{% test claims_reconcile_as_stated(model) %}
    {#- Fails for claims whose numbers agree although `reconciles` is false, or disagree although it is true,
        and for claims that cannot be checked (no total, or no other number). -#}
    select * from (
        select
            claim_code,
            bool_and(reconciles) as is_said_to_reconcile,
            sum(value) filter (where role = 'total') as total,
            sum(value) filter (where role = 'part') as sum_of_parts,
            count(*) filter (where role = 'total') = 1
            and count(*) filter (where role in ('part', 'same')) > 0
            and (
                count(*) filter (where role = 'part') = 0
                or sum(value) filter (where role = 'part') = sum(value) filter (where role = 'total')
            )
            and coalesce(min(value) filter (where role = 'same'), max(value) filter (where role = 'total'))
            = max(value) filter (where role = 'total')
            and coalesce(max(value) filter (where role = 'same'), max(value) filter (where role = 'total'))
            = max(value) filter (where role = 'total') as is_reconciled
        from {{ model }}
        group by claim_code
    ) as claims
    where is_reconciled is distinct from is_said_to_reconcile
{% endtest %}
