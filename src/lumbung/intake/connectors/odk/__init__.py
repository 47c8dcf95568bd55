"""The kind `odk`: ODK Central."""
