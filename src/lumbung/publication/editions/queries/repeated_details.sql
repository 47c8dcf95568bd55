-- the edition that published the details of the cases of these weeks first: editions of earlier
-- releases repeat the districts without them
select edition_id
from published.edition
where
    office_code = %(office)s
    and state in ('approved', 'published')
    and label -> 'district_weeks' = to_jsonb(array[%(first)s::text, %(last)s::text])
    and label ? 'few_cases'
order by frozen_at
limit 1
