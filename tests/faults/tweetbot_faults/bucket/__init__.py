"""The trainer's publication on a real S3 server, behind a proxy, with a reader that polls at all times."""
