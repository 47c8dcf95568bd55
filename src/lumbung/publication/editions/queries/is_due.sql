-- whether an edition of an earlier week exists, whether the week is published, and whether a complete
-- build of the marts that began after the week includes all that was landed by its closing
select
    exists(
        select
        from published.edition
        where office_code = %(office)s and state = 'published' and week_id < %(week)s
    ) as has_begun,
    exists(
        select
        from published.edition
        where office_code = %(office)s and state = 'published' and week_id = %(week)s
    ) as is_published,
    exists(
        select
        from ops.build
        where
            state = 'success'
            and seeds_hash <> ''
            and started_at >= %(ended)s
            and max_batch_id >= (
                select coalesce(max(batch_id), 0)
                from raw.batch
                where landed_at <= %(closed)s and landed_count + tombstone_count > 0
            )
    ) as is_built
