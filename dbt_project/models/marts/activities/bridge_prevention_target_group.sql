{{ config(unique_key=['prevention_id'], meta={'affected_keys': 'delivery'}) }}
select
    activity_id as prevention_id,
    code as target_group_code,
    regency_code,
    weight as activity_weight
from {{ ref('int_activity_terms__classified') }}
where vocabulary = 'target_group'
