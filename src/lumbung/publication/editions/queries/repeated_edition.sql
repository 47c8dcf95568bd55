-- the edition that published the districts of these weeks first
select edition_id
from published.edition
where
    office_code = %(office)s
    and state in ('approved', 'published')
    and label -> 'district_weeks' = to_jsonb(array[%(first)s::text, %(last)s::text])
order by frozen_at
limit 1
