{{ config(tags=['static']) }}
select
    prevention_form_code,
    prevention_form_name,
    prevention_form_name_en,
    sort_order
from {{ ref('prevention_form') }}
