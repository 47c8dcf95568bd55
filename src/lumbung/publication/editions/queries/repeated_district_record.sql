select distinct
    r.contributor_id,
    r.record_id
from published.contributor_record as r
inner join published.metric_contributor as m
    on r.edition_id = m.edition_id and r.contributor_id = m.contributor_id
where
    (r.edition_id = %(repeated)s and m.metric_code = 'district')
    or (r.edition_id = %(repeated_details)s and m.metric_code = 'detail')
