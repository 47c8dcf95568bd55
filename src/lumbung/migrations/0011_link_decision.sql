-- What people decided about candidate pairs of cases (marts.mart_report_pair). Append-only: the last
-- decision on a pair stands, 'undone' takes it back. A case's id is made of its channel and source id,
-- so decisions survive every rebuild. A link never merges: both cases stay, each with its legal number.
create table ops.link_decision (
    decision_id bigint generated always as identity primary key,
    report_id_a text not null,             -- the smaller of the two ids
    report_id_b text not null,
    decision_code text not null check (decision_code in ('same_event', 'different', 'undone')),
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null default clock_timestamp(),
    note text,
    check (report_id_a < report_id_b)
);
create index link_decision_pair on ops.link_decision (report_id_a, report_id_b, decision_id desc);
grant select on ops.link_decision to transformer;
