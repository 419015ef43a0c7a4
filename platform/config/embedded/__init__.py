"""What lets one process do the work of several: broker, channel layer, worker and mail without any service."""
