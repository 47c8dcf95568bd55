insert into published.edition (
    edition_id, week_id, revision, language, as_of, content_hash, member_hash, record_hash,
    restatement_hash, label, previous_edition_id, batch_watermark, data_at
)
values (
    %(edition)s, %(week)s, %(revision)s, %(language)s, %(as_of)s, %(content)s, %(members)s,
    %(records)s, %(restated)s, %(label)s, %(previous)s, %(watermark)s, %(data_at)s
)
