"""The kind `whatsapp`: exported chats of WhatsApp."""
