-- What people decided, as evidence: one line for each decision, chained by hash. A line is the text of a
-- JSON object; its hash is the SHA-256 of the hash before it, a line feed and the line. It never holds a
-- personal value, only who decided what on which row.
create table ops.audit_log (
    entry_id bigint primary key,           -- 1, 2, 3 ... without a gap
    line text not null,
    previous_hash text not null,           -- 64 zeros before the first
    entry_hash text not null
);
create trigger append_only before update or delete or truncate on ops.audit_log
    for each statement execute function published.refuse();

-- Adds a line. `login` is the account that opened the session, whatever role it took; `person` is who
-- decided, as named by the program, `is_proved` whether by a one-time code.
create function ops.audit(event text, person text, is_proved boolean, content jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    last_id bigint;
    last_hash text;
    written text;
begin
    perform pg_advisory_xact_lock(hashtext('lumbung.audit'));
    select entry_id, entry_hash into last_id, last_hash
    from ops.audit_log order by entry_id desc limit 1;
    last_id := coalesce(last_id, 0) + 1;
    last_hash := coalesce(last_hash, repeat('0', 64));
    written := jsonb_build_object(
        'entry', last_id,
        'at', to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'login', session_user,
        'event', event,
        'person', person,
        'is_proved', is_proved,
        'content', content
    )::text;
    insert into ops.audit_log (entry_id, line, previous_hash, entry_hash) values (
        last_id, written, last_hash,
        encode(sha256(convert_to(last_hash || E'\n' || written, 'UTF8')), 'hex')
    );
end $$;
revoke all on function ops.audit from public;

-- A trigger of a decision's table: the column that names the person (`nobody`: the program), then the
-- columns to write down.
create function ops.audit_decision() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    decided jsonb := to_jsonb(new);
begin
    perform ops.audit(
        tg_table_schema || '.' || tg_table_name,
        decided ->> tg_argv[0],
        coalesce(decided ->> 'seal', '') <> '',
        (
            select jsonb_object_agg(key, value) from jsonb_each(decided)
            where key = any (tg_argv[1:])
        )
    );
    return null;
end $$;
revoke all on function ops.audit_decision from public;

do $$
declare
    relation text;
    columns text;
begin
    for relation, columns in values
        ('published.approval', 'decided_by, edition_id, decision, how, comment, enrolment_id, totp_step, seal'),
        ('published.waiver', 'waived_by, edition_id, check_name, reason, until_date'),
        ('published.edition_root', 'nobody, edition_id, root_hash, previous_edition_id'),
        ('ops.approver', 'enrolled_by, enrolment_id, name'),
        ('ops.link_decision', 'decided_by, decision_id, decision_code'),
        ('ops.exclusion_decision', 'decided_by, decision_id, record_id, channel, decision_code, reason'),
        ('ops.channel_decision', 'decided_by, decision_id, channel, decision_code, reason'),
        ('ops.opening', 'opened_by, quarantine_id')
    loop
        execute format('create trigger audit after insert on %s for each row'
            ' execute function ops.audit_decision(%s)', relation, columns);
    end loop;
end $$;
create trigger audit after update of released_by on ops.channel_hold
    for each row when (new.released_by is not null)
    execute function ops.audit_decision(released_by, hold_id, channel, check_name, release_reason);
create trigger audit_dismissal after update of dismissed_by on quarantine.record
    for each row when (new.dismissed_by is not null)
    execute function ops.audit_decision(dismissed_by, quarantine_id, channel, dismissed_reason);
create trigger audit_acceptance after update of accepted_by on quarantine.record
    for each row when (new.accepted_by is not null)
    execute function ops.audit_decision(accepted_by, quarantine_id, channel, accepted_reason);

-- Each edition carries the head.
grant select on ops.audit_log to publisher;
