-- Berapa isian Formulir Pencegahan menurut bentuk, termasuk yang tidak disebutkan?
select prevention_form_code, count(*) as activities
from marts.obt_prevention
where is_form_entry
group by prevention_form_code
order by prevention_form_code;
