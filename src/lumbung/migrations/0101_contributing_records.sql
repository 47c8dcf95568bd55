-- Analysts trace a published number to records: a session that reads the whole province sees every record,
-- another one those that count in its regencies.
create view editions.contributing_record with (security_barrier) as
select
    counted.edition_id,
    counted.contributor_id,
    counted.record_id
from published.contributor_record as counted
inner join published.edition using (edition_id)
where edition.state = 'published'
    and (
        (select ops.reads_whole_province())
        or exists (
            select from published.metric_contributor as placed
            where placed.edition_id = counted.edition_id
                and placed.contributor_id = counted.contributor_id
                and placed.regency_code = any ((select ops.own_regencies())::text[])
        )
    );
grant select on editions.contributing_record to analyst_regency, analyst_province, auditor;

comment on view editions.contributing_record is 'The records behind published numbers: one row per edition, contributor and record.';
comment on column editions.contributing_record.edition_id is 'The edition.';
comment on column editions.contributing_record.contributor_id is 'What the edition counts once, such as a case.';
comment on column editions.contributing_record.record_id is 'A record that it was made of when the edition was frozen.';
