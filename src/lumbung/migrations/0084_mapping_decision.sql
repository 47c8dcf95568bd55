-- What stewards decided that an unknown word means. Append-only: the last decision on a word stands. A build
-- applies it beside the seed map_<vocabulary>, which 'lumbung mapping export' brings up to date.
create table ops.mapping_decision (
    decision_id bigint generated always as identity primary key,
    vocabulary text not null,
    term text not null check (term <> ''), -- as ops.term_key spells it; of a word that may be a name its pseudonym
    code text,                             -- null: the decision before is taken back
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null default clock_timestamp()
);
create index mapping_decision_term on ops.mapping_decision (vocabulary, term, decision_id desc);
create trigger audit after insert on ops.mapping_decision for each row
    execute function ops.audit_decision(decided_by, decision_id, vocabulary, code);

create view ops.mapping as
select
    vocabulary,
    term,
    code,
    decided_by,
    decided_at
from (
    select distinct on (vocabulary, term) *
    from ops.mapping_decision
    order by vocabulary asc, term asc, decision_id desc
) as last_decision
where code is not null;
grant select on ops.mapping to transformer;
