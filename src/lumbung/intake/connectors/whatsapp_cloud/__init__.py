"""The kind `whatsapp_cloud`: the WhatsApp Cloud API."""
