-- What the raw door asks of a channel whose file cannot be read at the moment.
alter table reference.channel_field add column is_required boolean not null default false;
