-- A person's exclusion of a record, or its restoration, is a reason of a restatement of its own. It was
-- counted as another coding before.
alter table published.restatement add column excluded_count bigint not null default 0;
grant select (decision_id, channel, source_id, decision_code, decided_at) on ops.exclusion_decision to publisher;

create or replace view editions.restatement with (security_barrier) as
select
    restatement.edition_id,
    restatement.of_edition_id,
    restatement.metric_code,
    restatement.category_code,
    restatement.regency_code,
    restatement.period,
    restatement.old_value,
    restatement.new_value,
    restatement.late_count,
    restatement.edited_count,
    restatement.withdrawn_count,
    restatement.recoded_count,
    restatement.progressed_count,
    restatement.is_published,
    restatement.excluded_count,
    restatement.published_value,
    -- the rule of lumbung.publication.model.edition.Edition.new_restatements
    not restatement.is_published
    and (
        restatement.period <> 'to_date'
        or restatement.of_edition_id = restatement.newest_edition_id
        and restatement.change <> restatement.change_of_weeks
    ) as is_headline
from (
    select
        compared.*,
        coalesce(
            sum(compared.change) filter (where not compared.is_published and compared.period <> 'to_date') over (
                partition by
                    compared.edition_id, compared.metric_code, compared.category_code, compared.regency_code
            ),
            0
        ) as change_of_weeks,
        coalesce(
            max(compared.of_edition_id collate "C")
                filter (where not compared.is_published and compared.is_of_earlier_week)
                over (partition by compared.edition_id),
            max(compared.of_edition_id collate "C")
                filter (where not compared.is_published)
                over (partition by compared.edition_id)
        ) as newest_edition_id
    from (
        select
            stored.*,
            stored.new_value - coalesce(stored.published_value, stored.old_value) as change,
            left(stored.of_edition_id, 8) collate "C" < left(stored.edition_id, 8) as is_of_earlier_week
        from published.restatement as stored
    ) as compared
) as restatement
inner join published.edition using (edition_id)
where edition.state = 'published'
    and (
        (select ops.reads_whole_province())
        or restatement.regency_code = any ((select ops.own_regencies())::text[])
    );

comment on view editions.restatement is 'Metrics of an earlier edition that a later one found different, with the reasons. The six counts of reasons sum to the difference. One changed record gives a row for each metric, for its regency and for the province, for its week and for each sum to date, and again for each earlier edition that held it: do not sum the rows. `is_headline` marks the rows that the edition prints and counts.';
comment on column editions.restatement.of_edition_id is 'The edition whose value is different now. A week without an edition of its own is compared, for a regency, with the edition of the week after it, which printed it as the week before, and, for the province, with the newest earlier edition, whose trend has it.';
comment on column editions.restatement.period is 'Which value is different: `week` or `to_date` of the edition in `of_edition_id`, or an ISO week (`2024-W45`) that has no edition of its own.';
comment on column editions.restatement.recoded_count is 'Difference because the same deliveries are read or classified differently now.';
comment on column editions.restatement.excluded_count is 'Difference because a person excluded a delivery from the count (down) or restored it (up). Editions that were frozen before version 0.3 count it in `recoded_count`.';
comment on column editions.restatement.published_value is 'The value that an edition between the two has published as a restatement; empty where none has.';
comment on column editions.restatement.is_headline is 'Whether the edition prints the row in its table of changes and counts it among the changed numbers: no earlier edition has published it, and it is a week, or a sum to date of the newest earlier edition whose change the printed weeks do not show. Since version 0.3 an edition prints no details of a regency by week (ADR 30): of the metrics with source `register`, a regency has `suspected_violation` and `suspected_violation_by_issue` only.';
comment on column editions.metric.to_date_value is 'From the first day of the campaign (25 September 2024 in the demo: the first `is_campaign` day of `marts.dim_date`) to the end of the week.';
