-- Up to when what came in is in an edition, and the newest week that a district delivered a recap of.
-- Of editions that knew neither: the moment they were frozen, and no week.
alter table published.edition add column data_at timestamptz;
alter table published.edition disable trigger transition;
alter table published.edition disable trigger transition_with_pass;
update published.edition set data_at = case label ->> 'known' when 'then' then as_of else frozen_at end;
alter table published.edition enable trigger transition;
alter table published.edition enable trigger transition_with_pass;
alter table published.edition alter column data_at set not null;
alter table published.submission add column last_week_id text;

-- Whether Airflow asks those who approve after a pass of the gate: then they are reminded.
alter table published.gate_pass add column is_asked boolean not null default true;
alter table published.gate_pass alter column is_asked set default false;

-- The DAG publishes as the role publisher: whoever owns the warehouse must be able to become it.
do $$
begin
    execute format('grant publisher to %I', current_user);
exception
    when insufficient_privilege or invalid_grant_operation then null; -- its administrator has to
end
$$;
