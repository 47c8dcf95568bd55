{{ config(materialized='view') }}
-- The deliveries that a person has excluded and not restored: the last decision on each is valid.
select md5(last_decision.channel || '/' || last_decision.source_id) as delivery_id
from (
    select distinct on (decisions.channel, decisions.source_id)
        decisions.channel,
        decisions.source_id,
        decisions.decision_code
    from {{ source('ops', 'exclusion_decision') }} as decisions
    where decisions.decision_id <= {{ of_running_build('max_exclusion_id', 9223372036854775807) }}
    order by decisions.channel asc, decisions.source_id asc, decisions.decision_id desc
) as last_decision
where last_decision.decision_code = 'excluded'
