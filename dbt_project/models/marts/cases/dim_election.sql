{{ config(tags=['static']) }}
select
    election_code,
    register_election_code,
    election_name,
    election_name_en,
    sort_order
from {{ ref('election') }}
