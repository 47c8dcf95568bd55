-- The files of a draft, for whoever decides on it at the desk: the machine that rendered them need not
-- be the one that shows or mails them. They are deleted when the edition is published, whose files are
-- in published.artefact.
create table ops.draft_file (
    edition_id text not null references published.edition,
    name text not null,
    content bytea not null,
    primary key (edition_id, name)
);
create trigger while_draft before insert on ops.draft_file
    for each row execute function published.belongs_to_state('draft');
grant select, insert, delete on ops.draft_file to publisher;
