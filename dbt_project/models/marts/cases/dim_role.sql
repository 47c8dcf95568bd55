{{ config(tags=['static']) }}
select
    role_code,
    role_name,
    role_name_en,
    sort_order
from {{ ref('role') }}
