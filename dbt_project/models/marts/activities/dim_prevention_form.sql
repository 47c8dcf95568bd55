{{ config(tags=['static']) }}
select
    prevention_form_code,
    prevention_form_name,
    sort_order
from {{ ref('prevention_form') }}
