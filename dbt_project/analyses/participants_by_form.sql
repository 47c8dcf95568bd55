-- Berapa peserta yang tercatat dalam isian Formulir Pencegahan, menurut bentuk?
select prevention_form_code, sum(participant_count) as participants
from marts.obt_prevention
where is_form_entry
group by prevention_form_code
having sum(participant_count) > 0
order by prevention_form_code;
