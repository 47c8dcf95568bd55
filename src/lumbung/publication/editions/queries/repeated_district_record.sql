select distinct
    r.member_id,
    r.record_id
from published.member_record as r
inner join published.figure_member as m on r.edition_id = m.edition_id and r.member_id = m.member_id
where r.edition_id = %(repeated)s and m.figure_code = 'district'
