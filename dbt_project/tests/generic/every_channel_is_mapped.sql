{% test every_channel_is_mapped(model) %}
    {#- No landed record belongs to a channel that no build has ever known: its file was gone before the
        first one. A channel that loses its file later is held at the raw checkpoint, and stays mapped. -#}
    select
        batches.channel,
        sum(batches.landed_count) as landed_count
    from {{ source('raw', 'batch') }} as batches
    left join {{ source('reference', 'channel') }} as channels on batches.channel = channels.channel
    where channels.channel is null and batches.batch_id <= {{ max_batch_id() }}
        {%- if is_increment() %} and batches.batch_id > {{ of_running_build('since_batch_id', 0) }}{% endif %}
    group by batches.channel
    having sum(batches.landed_count) > 0
{% endtest %}
