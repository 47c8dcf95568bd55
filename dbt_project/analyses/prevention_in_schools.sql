-- Berapa kegiatan pencegahan diadakan di sekolah atau kampus di tiap kabupaten/kota?
select regency_code, count(*) as activities
from marts.obt_prevention
where venue_kind_code = 'PENDIDIKAN'
group by regency_code
order by regency_code;
