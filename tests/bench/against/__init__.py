"""Two builds of the product against each other, in turns: `make bench AGAINST=<revision>`."""
