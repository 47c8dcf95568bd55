-- Laporan mana yang disampaikan lewat tujuh hari sejak diketahui, dan berapa hari?
select received_date, days_from_known_to_received as days
from marts.obt_case
where is_late
order by received_date, days;
