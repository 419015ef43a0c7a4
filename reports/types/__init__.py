"""Reports and what they say as types of the GraphQL schema."""
