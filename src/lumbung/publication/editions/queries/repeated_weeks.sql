-- weeks of districts that were published and overlap these: they are repeated in their place. This
-- happens when the first counted week has changed
select label -> 'district_weeks'
from published.edition
where
    office_code = %(office)s
    and state in ('approved', 'published')
    and label -> 'district_weeks' ->> 0 <= %(last)s
    and label -> 'district_weeks' ->> 1 >= %(first)s
order by label -> 'district_weeks' ->> 1 desc, frozen_at asc
limit 1
