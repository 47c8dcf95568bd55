-- What was published. Append-only: a figure that later turns out different is a line of the next
-- edition, never a change of this one.

create table published.edition (
    edition_id text primary key,           -- 2024-W47-r1
    week_id text not null check (week_id ~ '^\d{4}-W\d{2}$'),
    revision smallint not null check (revision >= 1),
    language text not null check (language in ('id')),
    as_of timestamptz not null,            -- Monday 06:00 WIB after the week
    frozen_at timestamptz not null default clock_timestamp(),
    batch_watermark bigint not null,       -- highest raw.batch.batch_id when frozen; 0 when there was none
    content_hash text not null check (content_hash ~ '^[0-9a-f]{64}$'),
    member_hash text not null check (member_hash ~ '^[0-9a-f]{64}$'),
    label jsonb not null,                  -- names of regencies, themes, types as they were
    state text not null default 'draft'
        check (state in ('draft', 'approved', 'rejected', 'published')),
    unique (week_id, revision),
    check (edition_id = week_id || '-r' || revision)
);

create table published.figure (
    edition_id text not null references published.edition,
    figure_code text not null,
    category_code text not null,
    regency_code text not null,            -- 19 = the province
    week_value bigint not null,
    to_date_value bigint not null,         -- since the campaign's first week
    previous_week_value bigint,            -- null: there was no week before
    primary key (edition_id, figure_code, category_code, regency_code)
);

-- The province's values of every week up to the edition's.
create table published.trend (
    edition_id text not null references published.edition,
    figure_code text not null,
    category_code text not null,
    week_id text not null,
    value bigint not null,
    primary key (edition_id, figure_code, category_code, week_id)
);

-- The facts behind each figure up to the edition's week: its trace.
create table published.figure_member (
    edition_id text not null references published.edition,
    figure_code text not null,
    category_code text not null,
    regency_code text not null,
    week_id text not null,
    member_id text not null,
    primary key (edition_id, figure_code, category_code, regency_code, week_id, member_id)
);

-- Which districts delivered their recap of the edition's week.
create table published.submission (
    edition_id text not null references published.edition,
    district_code text not null,
    district_name text not null,
    regency_code text not null,
    is_submitted boolean not null,
    row_count bigint not null,
    primary key (edition_id, district_code)
);

create table published.not_counted (
    edition_id text not null references published.edition,
    channel text not null,
    channel_title text not null,
    owner_name text not null,
    reason_code text not null,
    reason text not null,
    week_count bigint not null,
    to_date_count bigint not null,
    primary key (edition_id, channel, reason_code)
);

-- The runs of the publication gate that the edition passed; without one it cannot be approved.
create table published.gate_pass (
    edition_id text not null references published.edition,
    run_id uuid not null,                  -- its checks are in ops.check_result
    passed_at timestamptz not null default clock_timestamp(),
    primary key (edition_id, run_id)
);

-- One decision an edition: who, when, how, on which bytes.
create table published.approval (
    edition_id text primary key references published.edition,
    decision text not null check (decision in ('approved', 'rejected')),
    how text not null check (how in ('person', 'demo')),
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null default clock_timestamp(),
    comment text not null default '',
    reviewed jsonb not null                -- name -> sha256 of the draft's files that were reviewed
);

-- The published bytes themselves; the folder of an edition is a copy of these rows.
create table published.artefact (
    edition_id text not null references published.edition,
    name text not null,
    sha256 text not null,
    byte_count bigint not null,
    content bytea not null,
    primary key (edition_id, name),
    check (sha256 = encode(sha256(content), 'hex')),
    check (byte_count = octet_length(content))
);

create function published.refuse() returns trigger language plpgsql as $$
begin
    raise exception 'published.% is append-only: % refused', tg_table_name, tg_op
        using errcode = 'restrict_violation', hint = 'freeze a new revision of the week instead';
end $$;

create function published.edition_transition() returns trigger language plpgsql as $$
begin
    if to_jsonb(new) - 'state' <> to_jsonb(old) - 'state' then
        raise exception 'published.edition is append-only: only its state moves on'
            using errcode = 'restrict_violation', hint = 'freeze a new revision of the week instead';
    end if;
    if (old.state, new.state) not in
        (('draft', 'approved'), ('draft', 'rejected'), ('approved', 'published')) then
        raise exception 'edition % cannot go from % to %', old.edition_id, old.state, new.state
            using errcode = 'restrict_violation';
    end if;
    if new.state in ('approved', 'rejected') and not exists (
        select from published.approval
        where edition_id = new.edition_id and decision = new.state
    ) then
        raise exception 'edition % has no decision that says %', new.edition_id, new.state
            using errcode = 'restrict_violation';
    end if;
    if new.state = 'approved' and not exists (
        select from published.gate_pass where edition_id = new.edition_id
    ) then
        raise exception 'edition % has not passed the publication gate', new.edition_id
            using errcode = 'restrict_violation';
    end if;
    if new.state = 'published' and not exists (
        select from published.artefact where edition_id = new.edition_id
    ) then
        raise exception 'edition % has no artefacts', new.edition_id
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger transition before update on published.edition
    for each row execute function published.edition_transition();
create trigger no_delete before delete on published.edition
    for each statement execute function published.refuse();
create trigger no_truncate before truncate on published.edition
    for each statement execute function published.refuse();

do $$
declare child text;
begin
    foreach child in array array[
        'figure', 'trend', 'figure_member', 'submission', 'not_counted', 'gate_pass',
        'approval', 'artefact'
    ] loop
        execute format('create trigger append_only before update or delete or truncate on '
            'published.%I for each statement execute function published.refuse()', child);
    end loop;
end $$;

-- The decision is taken on a draft, the artefacts are made of what was approved. (A figure slipped
-- in later does not match the edition's content_hash: such an edition cannot be loaded.)
create function published.belongs_to_state() returns trigger language plpgsql as $$
declare current_state text := (select state from published.edition where edition_id = new.edition_id);
begin
    if current_state is distinct from tg_argv[0] then
        raise exception 'edition % is %, not %: published.% takes no row',
            new.edition_id, current_state, tg_argv[0], tg_table_name
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger while_draft before insert on published.approval
    for each row execute function published.belongs_to_state('draft');
create trigger while_approved before insert on published.artefact
    for each row execute function published.belongs_to_state('approved');
