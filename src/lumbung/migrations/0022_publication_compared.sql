-- A week without an edition is restated as the editions around it told it; a figure that was told
-- otherwise and is again what its edition said is told as well; a case that went on was not corrected.
alter table published.restatement
    add column progressed_count bigint not null default 0,
    add column told_value bigint,          -- what a later edition has said; null: nothing
    drop constraint restatement_period_check,
    drop constraint restatement_check,
    add check (period in ('week', 'to_date') or period ~ '^\d{4}-W\d{2}$'),
    add check (new_value <> old_value or new_value <> told_value);
