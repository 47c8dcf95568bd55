-- Notices: each time that a cause was found (at most once an hour) and each attempt to send it by one way.
-- An attempt is claimed before it is made, so that of several workers that find one cause, one sends.
create table ops.notice (
    notice_id bigint generated always as identity primary key,
    event text not null,
    cause text not null,  -- SHA-256 of the event and of what it is about, which may name a case
    step text not null check (step in ('found', 'claimed', 'reclaimed', 'sent', 'failed')),
    way text,             -- mail, or the Airflow Connection of a service
    attempt integer,
    happened_at timestamptz not null default clock_timestamp(),
    check ((step = 'found') = (way is null) and (step = 'found') = (attempt is null))
);
create index on ops.notice (cause, notice_id);
create unique index one_claim on ops.notice (cause, way, attempt) where step in ('claimed', 'reclaimed');
create unique index one_result on ops.notice (cause, way, attempt) where step in ('sent', 'failed');
create trigger append_only before update or delete or truncate on ops.notice
    for each statement execute function published.refuse();
grant select, insert on ops.notice to publisher;
