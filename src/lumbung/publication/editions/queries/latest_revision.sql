select
    edition_id,
    revision,
    content_hash,
    state,
    restatement_hash,
    previous_edition_id
from published.edition
where office_code = %(office)s and week_id = %(week)s
order by revision desc
limit 1
