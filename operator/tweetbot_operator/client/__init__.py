"""The only way to the API server: requests, parsing, errors, the Lease and its election."""
