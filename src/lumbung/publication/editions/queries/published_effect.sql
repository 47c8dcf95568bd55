-- the comparisons of before and after that this week published, else the newest week
select label -> 'effect'
from published.edition
where
    office_code = %(office)s
    and state = 'published'
    and batch_watermark <= %(watermark)s
    and label ? 'effect'
order by week_id = %(week)s desc, week_id desc, revision desc
limit 1
