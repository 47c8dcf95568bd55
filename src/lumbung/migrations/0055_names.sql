-- The names of the field: metric and contributor, checkpoint, exclusion, remediation. The next build
-- is a full one and makes the models under their new names; those under the old names are dropped.
alter table ops.check_result rename column cure to remediation;

alter table published.figure rename to metric;
alter table published.metric rename column figure_code to metric_code;
alter table published.trend rename column figure_code to metric_code;
alter table published.district_figure rename to district_metric;
alter table published.figure_member rename to metric_contributor;
alter table published.metric_contributor rename column figure_code to metric_code;
alter table published.metric_contributor rename column member_id to contributor_id;
alter table published.member_record rename to contributor_record;
alter table published.contributor_record rename column member_id to contributor_id;
alter table published.edition rename column member_hash to contributor_hash;
alter table published.deadline rename column clock_count to deadline_count;
alter table published.restatement rename column figure_code to metric_code;
alter table published.restatement rename column told_value to published_value;
alter table published.restatement rename column is_told to is_published;
alter table published.gate_pass rename to checkpoint_pass;

alter index published.figure_pkey rename to metric_pkey;
alter index published.district_figure_pkey rename to district_metric_pkey;
alter index published.figure_member_pkey rename to metric_contributor_pkey;
alter index published.member_record_pkey rename to contributor_record_pkey;
alter index published.member_record_record rename to contributor_record_record;

create or replace function published.edition_transition() returns trigger language plpgsql as $$
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
    -- A pass that needed waivers ends with the first of them.
    if new.state = 'approved' and not exists (
        select from published.checkpoint_pass
        where edition_id = new.edition_id
            and coalesce(until_date, 'infinity') >= (now() at time zone 'Asia/Jakarta')::date
    ) then
        raise exception 'edition % has no valid pass of the publication checkpoint',
            new.edition_id using errcode = 'restrict_violation';
    end if;
    if new.state = 'published' and not exists (
        select from published.artefact where edition_id = new.edition_id
    ) then
        raise exception 'edition % has no artefacts', new.edition_id
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
drop trigger transition_with_pass on published.edition;
drop function published.needs_gate_pass();

do $$
declare old record;
begin
    for old in
        select format('%I.%I', n.nspname, c.relname) as relation,
            case c.relkind when 'v' then 'view' else 'table' end as kind
        from pg_class as c
        inner join pg_namespace as n on c.relnamespace = n.oid
        where c.relkind in ('r', 'v')
            and n.nspname in ('reference', 'intermediate', 'marts', 'reporting')
            and c.relname in (
                'set_apart_reason', 'published_figure', 'int_figure_weeks__counted',
                'int_figures__counted', 'int_figures__affected', 'int_records__set_apart',
                'int_set_apart__counted', 'int_cells__affected', 'int_cells__left',
                'mart_issue_profile', 'mart_report_pair', 'mart_review_item',
                'rpt_figure', 'rpt_figure_member', 'rpt_member_record')
        order by c.relkind desc
    loop
        execute format('drop %s if exists %s cascade', old.kind, old.relation);
    end loop;
end $$;
drop function if exists reporting.figure_members(), reporting.member_records();
