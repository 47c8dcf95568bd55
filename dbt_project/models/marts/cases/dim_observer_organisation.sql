{{ config(tags=['static']) }}
select
    observer_organisation_code,
    observer_organisation_name,
    observer_organisation_name_en,
    sort_order
from {{ ref('observer_organisation') }}
