select jsonb_build_object(
    'regency', (
        select jsonb_agg(
            jsonb_build_object(
                'code', regency_code, 'bps_code', bps_code, 'name', regency_name,
                'tile_row', tile_row, 'tile_col', tile_col, 'is_unknown', is_unknown,
                'voters', voter_count, 'stations', polling_station_count
            )
            order by is_unknown, regency_code collate "C"
        )
        from marts.dim_regency
        where coalesce(left(regency_code, 2) = any(%(provinces)s), true)
    ),
    'campaign_start', (
        select start_date
        from marts.dim_stage
        where stage_code = 'KAMPANYE'
    ),
    'campaign_end', (
        select end_date
        from marts.dim_stage
        where stage_code = 'KAMPANYE'
    ),
    'held', (
        select coalesce(jsonb_agg(
            jsonb_build_object(
                'channel', channel, 'after_batch_id', held_after_batch_id,
                'title', channel_name, 'count', held_record_count, 'since', held_since_date,
                'reason', reason, 'reason_en', reason_en
            )
            order by channel collate "C"
        ), '[]')
        from reporting.rpt_channel_completeness as held
        where
            is_held
            and not exists (
                select
                from reference.channel as c
                where c.channel = held.channel and c.province_code <> all(%(provinces)s)
            )
    ),
    'legal_source', (
        select jsonb_agg(distinct legal_source)
        from reference.deadline_rule
        where %(day)s between valid_from and valid_to
    ),
    'name', (
        select jsonb_object_agg(kind, names)
        from (
            select
                kind,
                jsonb_agg(
                    jsonb_build_object('code', code, 'id', name, 'en', name_en)
                    order by sort_order, code collate "C"
                ) as names
            from (
                select
                    vocabulary as kind,
                    category_code as code,
                    category_name as name,
                    category_name_en as name_en,
                    sort_order
                from reporting.rpt_edition_name
                union all
                select
                    vocabulary || '_label' as kind,
                    category_code as code,
                    category_label as name,
                    category_label_en as name_en,
                    sort_order
                from reporting.rpt_edition_name
            ) as named
            group by kind
        ) as kinds
    )
)
