"""The versions of a model in S3: manifest, lookup, publish, latest."""
