insert into published.edition (
    edition_id, week_id, revision, language, as_of, content_hash, contributor_hash, record_hash,
    restatement_hash, label, previous_edition_id, batch_watermark, data_at
)
values (
    %(edition)s, %(week)s, %(revision)s, %(language)s, %(as_of)s, %(content)s, %(contributors)s,
    %(records)s, %(restated)s, %(label)s, %(previous)s, %(watermark)s, %(data_at)s
)
