{% test every_channel_is_mapped(model) %}
    {#- Every landed record belongs to a channel that a build has read. A channel whose file was removed
        before its first build fails; one whose file is removed later is held at the raw checkpoint, and its
        field map is kept. -#}
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
