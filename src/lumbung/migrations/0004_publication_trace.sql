-- From a published number back to what was delivered.

-- The version of each delivery that a member rested on when the edition was frozen. A case or an
-- activity rests on one; a district's recap of a week on every row of it.
create table published.member_record (
    edition_id text not null references published.edition,
    member_id text not null,
    record_id bigint not null,             -- raw.record
    primary key (edition_id, member_id, record_id)
);
create index member_record_record on published.member_record (record_id);
create trigger append_only before update or delete or truncate on published.member_record
    for each statement execute function published.refuse();

-- Of member_record, so that a row slipped in later is noticed. Not part of content_hash: a delivery
-- that came again and changed no figure makes no new edition.
alter table published.edition add column record_hash text not null default '';
alter table published.edition alter column record_hash drop default;
