"""How an edition reaches people: approvers are notified, recipients are mailed."""
