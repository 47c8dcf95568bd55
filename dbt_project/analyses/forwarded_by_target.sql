-- Ke instansi mana dugaan pelanggaran diteruskan, dan berapa yang tindak lanjutnya selesai?
select
    forwarding_target_code,
    count(*) as forwarded,
    count(*) filter (where is_follow_up_closed) as closed
from marts.obt_case
where is_forwarded
group by forwarding_target_code
order by forwarding_target_code;
