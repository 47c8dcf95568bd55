-- A one-time code counts once, whatever it is used for: a decision, a waiver, the consent to open or to erase.
create table ops.used_code (
    enrolment_id bigint not null references ops.approver,
    totp_step bigint not null,
    seal text not null,                    -- of what it was used for
    used_at timestamptz not null default clock_timestamp(),
    primary key (enrolment_id, totp_step)
);
create trigger append_only before update or delete or truncate on ops.used_code
    for each statement execute function published.refuse();
insert into ops.used_code (enrolment_id, totp_step, seal)
select enrolment_id, totp_step, seal from published.approval where enrolment_id is not null
union all
select enrolment_id, totp_step, seal from published.waiver where enrolment_id is not null
union all
select enrolment_id, totp_step, seal from ops.opening where enrolment_id is not null
on conflict do nothing;

grant select, insert on ops.used_code to approver;
