"""What the client of a refusal gets: the headers of the 429, on each of the proxy's ways out."""
