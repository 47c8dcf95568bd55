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
    ),
    'campaign_start', (
        select start_date
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
        from reporting.rpt_channel_completeness
        where is_held
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
                    jsonb_build_object('code', code, 'id', name, 'en', coalesce(name_en, name))
                    order by sort_order, code collate "C"
                ) as names
            from (
                select
                    'issue' as kind,
                    issue_code as code,
                    issue_name as name,
                    issue_name_en as name_en,
                    sort_order
                from reference.issue
                union all
                select
                    'issue_label' as kind,
                    issue_code as code,
                    issue_label as name,
                    issue_label_en as name_en,
                    sort_order
                from reference.issue
                union all
                select
                    'violation_type' as kind,
                    violation_type_code as code,
                    violation_type_name as name,
                    violation_type_name_en as name_en,
                    sort_order
                from reference.violation_type
                union all
                select
                    'reason' as kind,
                    upper(reason_code) as code,
                    reason_name as name,
                    reason_name_en as name_en,
                    sort_order
                from reference.non_registration_reason
                where reason_code <> 'unstated'
                union all
                select
                    'forwarding_target' as kind,
                    forwarding_target_code as code,
                    forwarding_target_name as name,
                    forwarding_target_name_en as name_en,
                    sort_order
                from reference.forwarding_target
                union all
                select
                    'prevention_type' as kind,
                    prevention_type_code as code,
                    prevention_type_name as name,
                    prevention_type_name_en as name_en,
                    sort_order
                from reference.prevention_type
                where prevention_type_code <> 'UNSTATED'
                union all
                select
                    'exclusion_reason' as kind,
                    reason_code as code,
                    reason as name,
                    reason_en as name_en,
                    0 as sort_order
                from reference.exclusion_reason
                union all
                select distinct
                    'deadline_rule' as kind,
                    rule_code as code,
                    rule_name as name,
                    rule_name_en as name_en,
                    sort_order
                from reference.deadline_rule
            ) as named
            group by kind
        ) as kinds
    )
)
