-- What editions have told since: deadlines, what marks a regency, when a district last delivered, and
-- the edition before, whose figures are read where they are.
alter table published.submission add column last_delivery_date date; -- WIB; null: never
alter table published.edition add column previous_edition_id text references published.edition;

-- Legal clocks by rule, regency and state at the edition's as-of, zeros present.
create table published.deadline (
    edition_id text not null references published.edition,
    rule_code text not null,
    regency_code text not null,
    state_code text not null check (state_code in (
        'OVERDUE', 'MAYBE_OVERDUE', 'DAYS_0', 'DAYS_1', 'DAYS_2', 'DAYS_3', 'DAYS_6',
        'MET', 'MISSED', 'UNCERTAIN'
    )),
    clock_count bigint not null,
    primary key (edition_id, rule_code, regency_code, state_code)
);
create trigger append_only before update or delete or truncate on published.deadline
    for each statement execute function published.refuse();

-- Each theme in each regency against the province (marts.mart_issue_profile); no rows where the
-- marts already know a later week.
create table published.profile (
    edition_id text not null references published.edition,
    regency_code text not null,
    issue_code text not null,
    case_count bigint not null,
    base_count bigint not null,
    share_pct numeric,
    province_share_pct numeric,
    location_quotient numeric,
    location_quotient_lower numeric,
    location_quotient_upper numeric,
    is_marked boolean not null,
    last_4_weeks_count bigint not null,
    previous_4_weeks_count bigint not null,
    trend_code text not null,
    prevention_count bigint not null,
    last_4_weeks_prevention_count bigint not null,
    primary key (edition_id, regency_code, issue_code)
);
create trigger append_only before update or delete or truncate on published.profile
    for each statement execute function published.refuse();
