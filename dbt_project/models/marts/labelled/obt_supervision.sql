{{ config(tags=['static'], meta={'published_as': 'view'}) }}
select
    supervisions.activity_date,
    supervisions.week_id,
    {{ place('supervisions') }},
    supervisions.supervision_id,
    supervisions.channel,
    channels.channel_name,
    {{ named('supervisions.election_code', 'elections', 'election') }},
    {{ named('supervisions.method_code', 'methods', 'method') }},
    {{ named('supervisions.venue_kind_code', 'venue_kinds', 'venue_kind') }},
    supervisions.is_recap as is_campaign_event,
    supervisions.is_recap and supervisions.activity_date >= {{ campaign_start(ref('dim_stage')) }}
        as is_counted_in_metrics
from {{ ref('fct_supervision') }} as supervisions
{{ join_places('supervisions') }}
left join {{ ref('dim_channel') }} as channels on supervisions.channel = channels.channel
left join {{ ref('dim_election') }} as elections on supervisions.election_code = elections.election_code
left join {{ ref('dim_method') }} as methods on supervisions.method_code = methods.method_code
left join {{ ref('dim_venue_kind') }} as venue_kinds
    on supervisions.venue_kind_code = venue_kinds.venue_kind_code
