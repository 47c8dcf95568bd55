-- What was published, for analysts: views over the editions in the state `published`. A session that
-- reads the whole province sees every row; another one those of its regencies, as in the marts.

create function ops.reads_whole_province() returns boolean
language sql stable
as $$
    select bool_or(pg_catalog.pg_has_role(current_user, oid, 'usage'))
    from pg_catalog.pg_roles
    where rolname in ('analyst_province', 'auditor', 'publisher')
$$;

create schema editions;
grant usage on schema editions to analyst_regency, analyst_province, auditor;

create view editions.edition with (security_barrier) as
select
    edition_id,
    week_id,
    revision,
    not exists (
        select from published.edition as later
        where later.week_id = edition.week_id
            and later.revision > edition.revision
            and later.state = 'published'
    ) as is_newest_revision,
    as_of,
    data_at,
    frozen_at,
    previous_edition_id,
    content_hash
from published.edition
where state = 'published';

create view editions.approval with (security_barrier) as
select
    approval.edition_id,
    approval.how,
    approval.decided_by,
    approval.decided_at
from published.approval
inner join published.edition using (edition_id)
where edition.state = 'published';

create view editions.metric with (security_barrier) as
select
    metric.edition_id,
    edition.week_id,
    metric.metric_code,
    metric.category_code,
    metric.regency_code,
    metric.week_value,
    metric.to_date_value,
    metric.previous_week_value
from published.metric
inner join published.edition using (edition_id)
where edition.state = 'published'
    and (
        (select ops.reads_whole_province())
        or metric.regency_code = any ((select ops.own_regencies())::text[])
    );

create view editions.restatement with (security_barrier) as
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
    restatement.is_published
from published.restatement
inner join published.edition using (edition_id)
where edition.state = 'published'
    and (
        (select ops.reads_whole_province())
        or restatement.regency_code = any ((select ops.own_regencies())::text[])
    );

grant select on all tables in schema editions to analyst_regency, analyst_province, auditor;

comment on schema marts is 'Facts and dimensions as known at the last build.';
comment on schema reporting is 'Metrics as known at the last build: live, past weeks too. As published: schema editions.';
comment on schema editions is 'What was published, unchanged since.';

-- The data dictionary is written from these comments (lumbung.warehouse.dictionary).
comment on view editions.edition is 'Editions that were published: one row per edition.';
comment on column editions.edition.edition_id is 'Week and revision, `2024-W47-r1`.';
comment on column editions.edition.week_id is 'ISO week, `2024-W47`.';
comment on column editions.edition.revision is 'Counts the editions of a week that were frozen, published or not.';
comment on column editions.edition.is_newest_revision is 'Whether no later revision of the week was published.';
comment on column editions.edition.as_of is 'Monday 06:00 WIB after the week, by which deadlines are judged.';
comment on column editions.edition.data_at is 'What came in until then is in the edition.';
comment on column editions.edition.frozen_at is 'When its numbers were frozen.';
comment on column editions.edition.previous_edition_id is 'The edition it compares the week before with; empty where there was none.';
comment on column editions.edition.content_hash is 'SHA-256 of its numbers, printed in the edition.';
comment on view editions.approval is 'Who approved each published edition.';
comment on column editions.approval.edition_id is 'The edition.';
comment on column editions.approval.how is '`person`, or `demo` where the demo approved its own edition.';
comment on column editions.approval.decided_by is 'Name of the one who approved.';
comment on column editions.approval.decided_at is 'When.';
comment on view editions.metric is 'Metrics as published: one row per edition, metric, category and regency, zeros included. `reporting.rpt_metric` holds what is known now.';
comment on column editions.metric.edition_id is 'The edition.';
comment on column editions.metric.week_id is 'Its ISO week, `2024-W47`.';
comment on column editions.metric.metric_code is 'Code of the metric (`marts.dim_metric`).';
comment on column editions.metric.category_code is 'Code of the category (`marts.dim_metric_category`); `ALL` where the metric has none.';
comment on column editions.metric.regency_code is 'Kemendagri code of the regency (`19.05`); `19` is the province, `19.00` an unresolved place.';
comment on column editions.metric.week_value is 'In the week.';
comment on column editions.metric.to_date_value is 'Since the first week of the campaign.';
comment on column editions.metric.previous_week_value is 'In the week before; empty where there was none.';
comment on view editions.restatement is 'Metrics of an earlier edition that a later one found different, with the reasons. The five counts of reasons sum to the difference.';
comment on column editions.restatement.edition_id is 'The later edition, which lists the difference.';
comment on column editions.restatement.of_edition_id is 'The earlier edition, whose value is different now.';
comment on column editions.restatement.metric_code is 'Code of the metric (`marts.dim_metric`).';
comment on column editions.restatement.category_code is 'Code of the category; `ALL` where the metric has none.';
comment on column editions.restatement.regency_code is 'Kemendagri code of the regency (`19.05`); `19` is the province.';
comment on column editions.restatement.period is '`week`, `to_date`, or the ISO week of a week that has no edition of its own.';
comment on column editions.restatement.old_value is 'As published in the earlier edition.';
comment on column editions.restatement.new_value is 'As known when the later edition was frozen; 0 where the metric no longer exists.';
comment on column editions.restatement.late_count is 'Difference through deliveries that came late.';
comment on column editions.restatement.edited_count is 'Difference through deliveries that were edited.';
comment on column editions.restatement.withdrawn_count is 'Difference through deliveries that were withdrawn.';
comment on column editions.restatement.recoded_count is 'Difference through another coding of the same deliveries.';
comment on column editions.restatement.progressed_count is 'Difference through cases that went on: it corrects nothing.';
comment on column editions.restatement.is_published is 'Whether an edition of an earlier week has published the same difference.';
