select
    n.channel,
    n.reason_code,
    coalesce(max(c.title), n.channel) as channel_title,
    coalesce(max(c.owner_name), 'n/a') as owner_name,
    max(n.reason) as reason,
    coalesce(sum(n.record_count) filter (where n.week_id = %(week)s), 0)::bigint as week_count,
    sum(n.record_count)::bigint as to_date_count
from reporting.rpt_not_counted as n
left join reference.channel as c on n.channel = c.channel
where
    (n.week_id <= %(week)s or n.week_id is null)
    and coalesce(c.province_code = any(%(provinces)s), true)
group by n.channel, n.reason_code
