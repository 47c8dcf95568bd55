-- Rata-rata berapa hari dari diketahui sampai diterima, untuk laporan dan untuk temuan?
select record_kind, round(avg(days_from_known_to_received), 2) as days
from marts.obt_case
where is_suspected_violation
group by record_kind
order by record_kind;
