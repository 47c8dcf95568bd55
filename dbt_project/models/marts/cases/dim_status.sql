{{ config(tags=['static']) }}
select
    status_code,
    status_name,
    status_name_en,
    registration_outcome,
    result_code,
    sort_order
from {{ ref('status') }}
