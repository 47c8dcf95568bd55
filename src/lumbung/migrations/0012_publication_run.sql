-- Who was sent an edition, and the rights of the one who publishes.

-- The steps of sending an edition to an address; the last one stands. 'offered' is committed just
-- before the last byte of a message goes out: where no answer follows it, nobody knows whether the
-- server took the message, and it is not sent again until a person says so ('released').
create table published.mailing (
    mailing_id bigint generated always as identity primary key,
    edition_id text not null references published.edition,
    address text not null check (address = lower(address)),
    step text not null check (step in ('offered', 'accepted', 'refused', 'released')),
    said text not null default '',         -- the server's answer; for 'released', who said so
    happened_at timestamptz not null default clock_timestamp()
);
create index mailing_address on published.mailing (edition_id, address, mailing_id desc);
create trigger append_only before update or delete or truncate on published.mailing
    for each statement execute function published.refuse();
create trigger while_published before insert on published.mailing
    for each row execute function published.belongs_to_state('published');

-- Never twice to one address: nothing is offered to whom it was accepted for, or may have been.
create function published.mailed_once() returns trigger language plpgsql as $$
declare
    last_step text;
begin
    perform pg_advisory_xact_lock(hashtext(new.edition_id), hashtext(new.address));
    select step into last_step from published.mailing
    where edition_id = new.edition_id and address = new.address
    order by mailing_id desc limit 1;
    if not (case new.step
        when 'offered' then coalesce(last_step, 'refused') in ('refused', 'released')
        when 'accepted' then coalesce(last_step, '') = 'offered'
        when 'released' then coalesce(last_step, '') = 'offered'
        else coalesce(last_step, 'refused') <> 'accepted'
    end) then
        raise exception 'edition % to %: % cannot follow %',
            new.edition_id, new.address, new.step, coalesce(last_step, 'nothing')
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger once before insert on published.mailing
    for each row execute function published.mailed_once();

-- What is published is added to; only an edition's state moves on.
revoke update on all tables in schema published from publisher;
alter default privileges in schema published revoke update on tables from publisher;
grant update on published.edition to publisher;
-- To tell late, edited and withdrawn deliveries apart: which version, which batch; no payload.
grant usage on schema raw to publisher;
grant select (batch_id, landed_at) on raw.batch to publisher;
grant select (record_id, channel, source_id, source_key, batch_id, is_tombstone)
    on raw.record to publisher;
-- Names and rules that an edition prints are those of the seeds.
grant select on all tables in schema reference to publisher;
alter default privileges in schema reference grant select on tables to publisher;
