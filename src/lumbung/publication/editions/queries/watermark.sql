-- what the marts rest on; where no build is recorded, what has been landed
select coalesce(
    (
        select max_batch_id
        from ops.build
        where state = 'success'
        order by build_id desc
        limit 1
    ),
    (select max(batch_id) from raw.batch),
    0
)
