"""Every sentence and label of an edition and the portal, in Indonesian and English."""
