-- Pemilihan mana yang menyangkut dugaan pelanggaran: gubernur, bupati, atau wali kota?
select election_code, count(*) as cases
from marts.obt_case
where is_suspected_violation
group by election_code
order by election_code;
