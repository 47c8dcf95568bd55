{{ config(tags=['static']) }}
select
    venue_kind_code,
    venue_kind_name,
    venue_kind_name_en,
    sort_order
from {{ ref('venue_kind') }}
