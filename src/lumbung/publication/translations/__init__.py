"""Every sentence and label that readers see, in Indonesian and English."""
