select
    figure_code,
    category_code,
    regency_code,
    week_id,
    member_id
from published.figure_member
where edition_id = %(repeated)s and figure_code = 'district'
