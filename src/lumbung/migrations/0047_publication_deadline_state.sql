-- What may be open and what ended, not certainly in time, are states of their own; UNCERTAIN, which was both,
-- is of the editions frozen before.
alter table published.deadline drop constraint deadline_state_code_check;
alter table published.deadline add constraint deadline_state_code_check check (state_code in (
    'OVERDUE', 'MAYBE_OVERDUE', 'DAYS_0', 'DAYS_1', 'DAYS_2', 'DAYS_3', 'DAYS_6', 'MAYBE_OPEN',
    'MET', 'MISSED', 'MAYBE_MISSED', 'UNCERTAIN'
));
