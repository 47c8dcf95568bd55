-- Rights that every migration of the warehouse sets again, as its owner: neither a dump nor a copy of the
-- database holds them, and tables may have been built by an account that is not the transformer.
do $$
declare
    each record;
begin
    -- As in 0067, which a restored database does not run again.
    if not pg_has_role('transformer', 'set') then
        grant transformer to current_user with inherit true, set true;
    end if;

    for each in
        select oid::regclass as name from pg_class
        where relnamespace in (
            select oid from pg_namespace where nspname in (
                'staging', 'intermediate', 'checks', 'marts', 'reporting',
                'marts_next', 'reporting_next', 'reference_next', 'reference'
            )
        )
        and relkind in ('r', 'p', 'v', 'm') and relowner <> 'transformer'::regrole
        and not (
            relnamespace::regnamespace::text = 'reference'
            and relname in ('channel', 'channel_field', 'term_pseudonym')
        )
    loop
        execute format('alter table %s owner to transformer', each.name);
    end loop;

    -- dbt makes none of these. Who may alter a table can put a trigger on it, which runs with the rights of the
    -- loader or the custodian.
    for each in
        select oid::regclass as name, relname, relowner = 'transformer'::regrole as is_theirs from pg_class
        where relnamespace = to_regnamespace('reference')
            and relname in ('channel', 'channel_field', 'term_pseudonym')
    loop
        if each.is_theirs then
            execute format('alter table %s owner to current_user', each.name);
        end if;
        execute format('grant select on %s to transformer', each.name);
        if each.relname <> 'term_pseudonym' then
            execute format('grant insert, update, delete on %s to transformer', each.name);
        end if;
    end loop;

    for each in
        select rolname from pg_roles
        where (rolname ~ '^analyst_\d\d(_\d\d)?$' or rolname in ('analyst_province', 'auditor'))
            and pg_has_role(oid, 'member with admin option')
            and not exists (
                select from pg_auth_members
                where roleid = pg_roles.oid and member = 'desk'::regrole
            )
    loop
        execute format('grant %I to desk with inherit false, set true', each.rolname);
    end loop;
    if to_regclass('ops.mapping_decision') is not null then
        grant insert on ops.mapping_decision to steward;
        -- A release names the holds that the page showed, and their last batch.
        grant select (hold_id, judged_batch_id) on ops.channel_hold to steward;
    end if;
    -- No statement of the product waits for a lock without end.
    for each in
        select rolname from pg_roles
        where rolname in (
            'loader', 'transformer', 'custodian', 'steward', 'publisher', 'approver', 'desk', 'backup'
        )
        and pg_has_role(oid, 'member with admin option')
        and not 'lock_timeout=2h' = any (coalesce(rolconfig, '{}'))
    loop
        execute format('alter role %I set lock_timeout = ''2h''', each.rolname);
    end loop;
    -- A steward decides on cases of the whole province.
    if not pg_has_role('steward', 'analyst_province', 'usage') then
        grant analyst_province to steward;
    end if;
end
$$;

-- Audit triggers of tables that migrations with a number below 0073 make or widen.
do $$
declare
    relation text;
    columns text;
begin
    if to_regclass('ops.audit_log') is null then
        return;
    end if;
    for relation, columns in values
        (
            'ops.opening',
            'opened_by, quarantine_id, record_id, evidence_sha256, labels_of, reason, consented_by, enrolment_id, totp_step, seal'
        ),
        ('ops.link_decision', 'decided_by, decision_id, report_id_a, report_id_b, decision_code, note'),
        ('ops.legal_hold', 'decided_by, hold_id, channel, until_date, reason'),
        (
            'ops.erasure',
            'erased_by, erasure_id, consented_by, reason, record_count, redacted_count, quarantine_count, evidence_count, enrolment_id, totp_step, seal'
        )
    loop
        if not exists (
            select from pg_trigger
            where tgrelid = relation::regclass and tgname = 'audit'
                and tgnargs = cardinality(string_to_array(columns, ','))
        ) then
            execute format('create or replace trigger audit after insert on %s for each row'
                ' execute function ops.audit_decision(%s)', relation, columns);
        end if;
    end loop;
end
$$;

-- Only a superuser may do what follows; on an office's own server another account leaves it out.
do $$
declare
    routine regprocedure;
begin
    for routine in
        select oid::regprocedure from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^pg_(try_)?advisory_'
    loop
        execute format('grant execute on function %s to custodian, steward, backup', routine);
    end loop;
    grant pg_read_all_stats to transformer; -- whom a build waits for, and since when
    -- An erasure removes the destroyed keys from the write-ahead log.
    grant pg_checkpoint to custodian;
    grant execute on function pg_switch_wal() to custodian;
    grant pg_read_all_data to backup;
    alter role backup bypassrls;
exception
    when insufficient_privilege then null;
end
$$;
