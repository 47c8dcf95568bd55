-- Reasons of non-registration are spelled like every code of a vocabulary (`FORMAL`), also where a steward
-- decided before.
create or replace view ops.mapping as
select
    vocabulary,
    term,
    case when vocabulary = 'non_registration_reason' then upper(code) else code end as code,
    decided_by,
    decided_at
from (
    select distinct on (vocabulary, term) *
    from ops.mapping_decision
    order by vocabulary asc, term asc, decision_id desc
) as last_decision
where code is not null;
