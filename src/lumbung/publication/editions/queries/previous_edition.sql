-- the edition with which this one is compared
select edition_id
from published.edition
where
    office_code = %(office)s
    and state = 'published'
    and week_id < %(week)s
    and batch_watermark <= %(watermark)s
order by week_id desc, revision desc
limit 1
