select
    edition_id,
    revision,
    content_hash,
    state,
    restatement_hash,
    previous_edition_id
from published.edition
where week_id = %(week)s
order by revision desc
limit 1
