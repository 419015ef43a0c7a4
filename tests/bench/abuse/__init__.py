"""What a person notices of somebody who attacks: the same two requests, in turns with and without an attack."""
