select coalesce(label -> 'district_threshold', label -> 'office' -> 'small_cell_threshold')::integer
from published.edition
where edition_id = %(repeated)s
