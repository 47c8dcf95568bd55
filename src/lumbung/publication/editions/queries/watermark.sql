-- the last batch that is in the marts; where no build is recorded, the last batch landed
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
