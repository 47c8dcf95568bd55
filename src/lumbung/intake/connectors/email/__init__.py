"""The kind `email`: a mailbox, over IMAP."""
