select coalesce(label ->> 'district_unit', 'theme')
from published.edition
where edition_id = %(repeated)s
