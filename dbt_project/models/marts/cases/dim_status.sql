{{ config(tags=['static']) }}
select
    status_code,
    status_name,
    registration_outcome,
    result_code,
    sort_order
from {{ ref('status') }}
