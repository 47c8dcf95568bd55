-- An edition takes rows only while it is a draft: nothing can be added to what was decided on. Update,
-- delete and truncate are refused since 0003. The share lock makes an insert and a decision wait for
-- each other, so no row arrives while the edition moves on.
create function published.refuse_unless_draft() returns trigger language plpgsql as $$
declare
    closed record;
begin
    perform from published.edition where edition_id in (select edition_id from added) for share;
    select edition_id, state into closed
    from published.edition
    where edition_id in (select edition_id from added) and state <> 'draft'
    limit 1;
    if found then
        raise exception 'edition % is %, not draft: published.% takes no row',
            closed.edition_id, closed.state, tg_table_name
            using errcode = 'restrict_violation', hint = 'freeze a new revision of the week instead';
    end if;
    return null;
end $$;

do $$
declare child text;
begin
    foreach child in array array[
        'metric', 'trend', 'metric_contributor', 'contributor_record', 'submission', 'not_counted',
        'district_metric', 'restatement', 'deadline', 'profile', 'checkpoint_pass'
    ] loop
        execute format('create trigger while_draft after insert on published.%I referencing new table'
            ' as added for each statement execute function published.refuse_unless_draft()', child);
    end loop;
end $$;

-- The same for the decision and the waivers (of a draft), the files (of an approved edition) and the
-- mails (of a published one); now with the lock.
create or replace function published.belongs_to_state() returns trigger language plpgsql as $$
declare
    current_state text;
begin
    select state into current_state from published.edition where edition_id = new.edition_id for share;
    if current_state is distinct from tg_argv[0] then
        raise exception 'edition % is %, not %: published.% takes no row',
            new.edition_id, current_state, tg_argv[0], tg_table_name
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

-- An edition begins as a draft.
create function published.begins_as_draft() returns trigger language plpgsql as $$
begin
    if new.state <> 'draft' then
        raise exception 'edition % begins as draft, not %', new.edition_id, new.state
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger begins_as_draft before insert on published.edition
    for each row execute function published.begins_as_draft();
