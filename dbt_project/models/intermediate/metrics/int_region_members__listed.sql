-- The regencies of each province, the unknown one included, and of the country where the warehouse has
-- several provinces: one row per region and regency. A region's metric is the sum over its regencies.
select
    {{ province_of('regency_code') }} as region_code,
    regency_code
from {{ ref('regency') }}
union all
select
    '{{ var("country_code") }}' as region_code,
    regency_code
from (
    select
        regency_code,
        min({{ province_of('regency_code') }}) over () < max({{ province_of('regency_code') }}) over ()
            as is_one_of_several
    from {{ ref('regency') }}
) as regencies
where is_one_of_several
