-- Berapa dugaan politik uang per 100.000 pemilih di tiap kabupaten/kota yang memilikinya?
select regency_code, round(100000.0 * count(*) / voter_count, 2) as per_100k_voters
from marts.obt_case_issue
inner join marts.dim_regency using (regency_code)
where issue_code = 'PU' and is_suspected_violation and not is_unknown
group by regency_code, voter_count
order by regency_code;
