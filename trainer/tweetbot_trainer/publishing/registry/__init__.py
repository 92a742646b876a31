"""The model versions of a TweetBot in its output. Imports go up this list only.

manifest     a version's MANIFEST.json, and the addresses of versions
ownership    the TweetBot that the output belongs to, and who else uses it
run_record   what a run's preparation decided
latest       latest.json, the version to serve
pinning      latest.json as spec.pin says, and back
lookup       the version that a run can reuse, and the name of a new one
publish      upload of a version, and its commit
retention    removal of old versions
hash_removal removal of a file that lets posts be read out of older versions
lineage      `verify`: from a version back to its dataset, base and sources
history      `history`: every version, and why it is served, kept or was rejected
comparison   `compare`: two versions side by side
"""
