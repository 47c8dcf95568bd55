-- The root hash of each published edition, chained to the edition that was published before it. The
-- signed manifest is the artefact SHA256SUMS; this table is what the next edition is chained to.
create table published.edition_root (
    edition_id text primary key references published.edition,
    root_hash text not null check (root_hash ~ '^[0-9a-f]{64}$'),
    previous_edition_id text unique references published.edition_root, -- null: the first
    signed_at timestamptz not null default clock_timestamp(),
    check (previous_edition_id <> edition_id)
);
create unique index edition_root_first on published.edition_root ((true)) where previous_edition_id is null;
create trigger append_only before update or delete or truncate on published.edition_root
    for each statement execute function published.refuse();
create trigger while_approved before insert on published.edition_root
    for each row execute function published.belongs_to_state('approved');

-- Editions that were published before this migration have none.
create function published.needs_root() returns trigger language plpgsql as $$
begin
    if not exists (select from published.edition_root where edition_id = new.edition_id) then
        raise exception 'edition % has no root hash', new.edition_id using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger transition_with_root before update on published.edition
    for each row when (new.state = 'published' and old.state <> 'published')
    execute function published.needs_root();
