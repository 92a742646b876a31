"""The docs as a site: `make docs` orders the pages by reader, builds them offline, and checks what they say."""
