-- Apakah batas tujuh hari penyampaian laporan dipatuhi, per kabupaten/kota?
select
    regency_code,
    count(*) filter (where is_kept) as kept,
    count(*) filter (where not is_kept) as missed
from marts.obt_deadline
where rule_code = 'LAPOR'
group by regency_code
order by regency_code;
