"""Reasons that the trainer gives for its bucket, for the copy on the Hub, and for servers that it does not trust."""

from tweetbot_contract.reasons.reason import RETRAIN, ask_author

STORAGE_UNSUPPORTED = ask_author(
    "StorageUnsupported",
    "The S3 server cannot do what a run needs; the message names it. Prepare finds out before anything is paid for.",
    f"Set the field of spec.output.s3 that the message names, or use another server, then {RETRAIN}.",
)
STORAGE_FULL = ask_author(
    "StorageFull",
    "The bucket, or the server's disk, has no room left.",
    f"Make room or have the quota raised. A training waits for it; if the run has failed, {RETRAIN}.",
)
FOREIGN_ENDPOINT = ask_author(
    "EndpointNotS3",
    "What answers at the S3 endpoint is no S3 server: a web page, a console, a proxy or a redirect.",
    "Correct spec.output.s3.endpoint, or let the Pods past the proxy that the message names. The operator retries "
    "the run for a day.",
)
OBJECT_ARCHIVED = ask_author(
    "ObjectArchived",
    "An object lies in an archive such as Glacier and cannot be read.",
    f"Restore it, or copy it into a storage class without retrieval, then {RETRAIN}.",
)
OBJECT_LOCKED = ask_author(
    "ObjectLocked",
    "A retention period or a legal hold keeps an object from being changed or erased.",
    "Wait until it ends, have the hold removed, or use a bucket without object lock.",
)
ENCRYPTION_REFUSED = ask_author(
    "EncryptionRefused",
    "The KMS key that encrypts the bucket's objects cannot be used.",
    "Enable the key and allow kms:GenerateDataKey and kms:Decrypt on it, or correct spec.output.s3.kmsKeyId; "
    f"then {RETRAIN}.",
)
SERVER_NOT_TRUSTED = ask_author(
    "ServerNotTrusted",
    "A server's certificate does not verify: unknown CA, wrong name, or out of date.",
    f"Name the CA's certificate in spec.caBundle, or have the server's certificate replaced, then {RETRAIN}.",
)
HUB_DEGRADED = ask_author(
    "HubDegraded",
    "The served version is not on the Hugging Face Hub, or not as spec.output.huggingFace asks. It is in S3, and the "
    "run is not affected.",
    "Look at the condition's message, which ends by what to do. The next run tries again. `kubectl tweetbot publish` "
    "sends the version at once, and `tweetbot-trainer publish` does without the cluster.",
    steady=True,
)
