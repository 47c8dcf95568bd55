"""Mails: questions to approvers, notices to owners, editions to recipients."""
