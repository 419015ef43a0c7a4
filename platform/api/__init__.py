"""GraphQL over HTTP and WebSocket: one path from the text of an operation to its masked result, for both."""
