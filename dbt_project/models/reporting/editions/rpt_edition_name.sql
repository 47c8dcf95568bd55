{{ config(tags=['static']) }}
select
    vocabulary,
    category_code,
    category_name,
    category_name_en,
    category_label,
    category_label_en,
    sort_order
from {{ ref('int_edition_names__listed') }}
