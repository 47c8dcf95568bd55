"""The kind `ushahidi`: Ushahidi."""
