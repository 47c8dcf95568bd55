-- Whether the rows of a channel say when the channel received them: a chat's messages do, the rows of a
-- register do not, whose raw.record.received_at is only the time of the file.
alter table reference.channel add column has_receipt_time boolean not null default true;
update reference.channel set has_receipt_time = false
where kind in ('register', 'form_a', 'sigaplapor');
