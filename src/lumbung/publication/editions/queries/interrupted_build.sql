-- a build that began after the last complete one and had begun to change the tables read here
select b.state
from ops.build as b
inner join ops.model_run as r on b.build_id = r.build_id
where
    b.build_id > (
        select coalesce(max(w.build_id), 0)
        from ops.build as w
        where w.state = 'success' and w.seeds_hash <> ''
    )
    and b.state <> 'success'
    and r.resource_type = 'model'
    and r.state <> 'skipped'
    and r.node_name ~ '^(dim|fct|bridge|agg|rpt)_'
order by b.build_id desc
limit 1
