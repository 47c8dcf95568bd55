-- Traits of a channel's kind (lumbung.intake.connectors.base.Kind), so that no model and no check names a kind.
-- A sync writes them; a channel whose file is gone or has a mistake keeps those of this migration.
alter table reference.channel
add column is_message boolean not null default false,          -- its deliveries are messages, most of them no reports
add column has_editable_times boolean not null default false;  -- its members can type the times of its deliveries
update reference.channel set
    is_message = kind in ('whatsapp', 'whatsapp_cloud', 'email'),
    has_editable_times = kind = 'whatsapp';
