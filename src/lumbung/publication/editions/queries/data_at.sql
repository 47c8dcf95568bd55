-- when the build of the marts began to read raw
select coalesce(
    (
        select started_at
        from ops.build
        where state = 'success' and seeds_hash <> ''
        order by build_id desc
        limit 1
    ),
    (select max(landed_at) from raw.batch),
    ops.now()
)
