-- the districts' weeks that an edition has published and that overlap these: they are repeated
-- instead of these (the first counted week has moved)
select label -> 'district_weeks'
from published.edition
where
    state in ('approved', 'published')
    and label -> 'district_weeks' ->> 0 <= %(last)s
    and label -> 'district_weeks' ->> 1 >= %(first)s
order by label -> 'district_weeks' ->> 1 desc, frozen_at asc
limit 1
