"""Write: what a command leaves in a folder or prints."""
