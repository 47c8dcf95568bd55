"""What tests share: sample data, stand-ins for servers, scripts that are killed."""
