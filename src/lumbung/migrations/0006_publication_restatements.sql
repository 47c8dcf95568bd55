-- Each figure of an earlier published edition that would now be different, as known when this
-- edition was frozen. The reasons sum to the difference: what came late counts up, what was
-- withdrawn down, an edit or another coding either way.
create table published.restatement (
    edition_id text not null references published.edition,
    of_edition_id text not null references published.edition,
    figure_code text not null,
    category_code text not null,
    regency_code text not null,
    period text not null check (period in ('week', 'to_date')),
    old_value bigint not null,
    new_value bigint not null,             -- 0 where the figure no longer exists
    late_count bigint not null,
    edited_count bigint not null,
    withdrawn_count bigint not null,
    recoded_count bigint not null,
    is_told boolean not null,              -- an edition of an earlier week has said the same
    primary key (edition_id, of_edition_id, figure_code, category_code, regency_code, period),
    check (old_value <> new_value)
);
create trigger append_only before update or delete or truncate on published.restatement
    for each statement execute function published.refuse();

-- Not part of content_hash: once this edition is published, its own revision is what is compared,
-- and the same figures must stay the same edition.
alter table published.edition add column restatement_hash text not null default '';
alter table published.edition alter column restatement_hash drop default;
