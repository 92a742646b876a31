"""What the refusals of S3 servers mean, and what to do: one table, in the order in which it is searched.

A code comes from the server, and may be permanent. A number stands for a status without a known code, as proxies and
firewalls answer too: it has its reason and advice, and is asked again (runtime/refusals.py).

Sources, by server. AWS: "Error responses" in the S3 API reference, and re:Post on SSE-KMS. GCS: "HTTP status and error
codes for XML" and "Request preconditions". R2: "Error codes" and "S3 API compatibility". MinIO: cmd/api-errors.go. Ceph
RGW: src/rgw/rgw_common.cc. versitygw 1.8.0: s3err/s3err.go. Wasabi: "REST API introduction", which otherwise follows
AWS. Since boto3 1.36, clients send checksums that older servers refuse: boto3#4400, s3transfer#327 and bosh-s3cli#65
show in which words.
docs/storage.md shows this table; a test compares them.
"""

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, TemporaryError
from tweetbot_trainer.runtime.refusals import Meaning

#: The action of a conditional write, in errors and in this table.
CONDITIONAL_WRITE = "write conditionally"
_USE_NO_CHECKSUMS = "set spec.output.s3.checksumMode: WhenRequired"
_USE_NO_CONDITIONS = "set spec.output.s3.conditionalWrites: Unsupported, if this cluster alone writes here"


TABLE: tuple[Meaning, ...] = (
    Meaning(
        ("AccessDenied", "InvalidRequest", "ObjectLocked", "RetentionPolicyNotMet", "ObjectUnderActiveHold"),
        SpecRefused,
        reasons.OBJECT_LOCKED,
        "a retention period or a legal hold protects it: wait until it ends, or use a bucket without object lock",
        "AWS, GCS, MinIO, versitygw, Wasabi",
        words=("object lock", "worm", "retention", " hold"),
    ),
    Meaning(
        ("KMS.*", "CloudKms*", "XMinioKMS*"),
        SpecRefused,
        reasons.ENCRYPTION_REFUSED,
        "enable the key, or correct spec.output.s3.kmsKeyId",
        "AWS, GCS, MinIO",
    ),
    Meaning(
        ("AccessDenied", "AccessDeniedException", "InvalidArgument", "InvalidRequest", "InvalidAccessKeyId",
         "NotImplemented"),
        NotAuthorized,
        reasons.ENCRYPTION_REFUSED,
        "allow kms:GenerateDataKey and kms:Decrypt on the key, or correct spec.output.s3.kmsKeyId",
        "AWS, Ceph RGW, MinIO",
        words=("kms", "server side encryption", "server-side encryption"),
    ),
    Meaning(
        ("XAmzContentSHA256Mismatch", "MissingContentMD5"),
        SpecRefused,
        reasons.STORAGE_UNSUPPORTED,
        _USE_NO_CHECKSUMS,
        "AWS, Ceph RGW, MinIO, versitygw",
    ),
    Meaning(
        ("InvalidArgument", "InvalidRequest", "NotImplemented", "SignatureDoesNotMatch", "MalformedTrailerError"),
        SpecRefused,
        reasons.STORAGE_UNSUPPORTED,
        _USE_NO_CHECKSUMS,
        "GCS, MinIO, Ceph RGW, R2, Wasabi",
        words=("checksum", "trailer", "aws-chunked", "streaming-", "x-amz-content-sha256"),
    ),
    Meaning(
        ("NotImplemented", "501", "InvalidRequest", "InvalidArgument", "MethodNotAllowed", "405"),
        SpecRefused,
        reasons.STORAGE_UNSUPPORTED,
        _USE_NO_CONDITIONS,
        "GCS, Wasabi, older MinIO and Ceph RGW",
        actions=(CONDITIONAL_WRITE,),
    ),
    Meaning(
        ("NotImplemented", "501"),
        SpecRefused,
        reasons.STORAGE_UNSUPPORTED,
        f"{_USE_NO_CHECKSUMS}, or use a server that has what this request needs",
        "all",
    ),
    Meaning(
        ("QuotaExceeded", "InsufficientStorage", "507", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded",
         "XRustfsQuotaExceeded", "StorageFull", "StorageLimitExceeded", "AccountStorageLimitExceeded"),
        TemporaryError,
        reasons.STORAGE_FULL,
        "make room, or have the quota of the bucket or the account raised",
        "Ceph RGW, MinIO, versitygw",
    ),
    Meaning(
        ("InvalidObjectState", "ObjectNotInActiveTierError"),
        SpecRefused,
        reasons.OBJECT_ARCHIVED,
        "restore it, or copy it into a storage class without retrieval",
        "AWS, Ceph RGW, MinIO, versitygw",
    ),
    Meaning(
        ("ExpiredToken", "ExpiredTokenException", "ExpiredRequest", "TokenRefreshRequired", "InvalidToken",
         "InvalidSecurity"),
        NotAuthorized,
        reasons.NOT_AUTHORIZED,
        "put fresh temporary credentials into the Secret (AWS_SESSION_TOKEN), or use a workload identity",
        "AWS, MinIO, R2, versitygw",
    ),
    Meaning(
        ("InvalidIdentityToken", "IDPRejectedClaim"),
        NotAuthorized,
        reasons.NOT_AUTHORIZED,
        "let the role of the ServiceAccount trust the cluster's OIDC issuer and this ServiceAccount",
        "AWS STS",
    ),
    Meaning(
        ("AccountProblem", "AllAccessDisabled", "UserSuspended", "AccountNotActivated", "AccountDisabled",
         "NotSignedUp", "UserAccountBlocked"),
        NotAuthorized,
        reasons.NOT_AUTHORIZED,
        "the provider has locked the account: settle that with it",
        "AWS, GCS, Ceph RGW, Wasabi",
    ),
    Meaning(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "Unauthorized", "NoSuchUser",
         "XAdminUserNotFound", "401"),
        NotAuthorized,
        reasons.NOT_AUTHORIZED,
        "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the Secret of spec.output.s3.credentialsSecret",
        "all; XAdminUserNotFound: versitygw",
    ),
    Meaning(
        ("AccessDenied", "AccessForbidden", "XAdminAccessDenied", "403"),
        NotAuthorized,
        reasons.NOT_AUTHORIZED,
        "correct the Secret or its permissions (s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket)",
        "all",
    ),
    Meaning(
        ("NoSuchBucket",), SpecRefused, reasons.BUCKET_NOT_FOUND, "create the bucket, or correct its name", "all"
    ),
    Meaning(
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "Redirect",
         "IncorrectEndpoint"),
        SpecRefused,
        reasons.SPEC_REFUSED,
        "the bucket is in another region or at another endpoint: set spec.output.s3.region, or correct "
        "spec.output.s3.endpoint",
        "AWS, Wasabi",
    ),
    Meaning(
        ("RequestTimeTooSkewed", "RequestExpired"),
        TemporaryError,
        reasons.STORAGE_UNAVAILABLE,
        "the clocks of node and server differ by more than the server allows: correct them (NTP)",
        "AWS, Ceph RGW, MinIO, R2, versitygw",
    ),
    Meaning(
        ("InvalidArgument", "MethodNotAllowed", "405"),
        SpecRefused,
        reasons.FOREIGN_ENDPOINT,
        "this is the address of a console or of another API: write the one of S3 into spec.output.s3.endpoint",
        "MinIO, nginx",
        words=("api port", "method not allowed", "specified method"),
    ),
    Meaning(
        ("EntityTooLarge", "413", "MaxMessageLengthExceeded", "RequestEntityTooLarge"),
        SpecRefused,
        reasons.STORAGE_UNSUPPORTED,
        "the server, or a proxy before it, takes no file of this size: raise its limit (nginx: client_max_body_size)",
        "all; 413: nginx",
    ),
    Meaning(
        ("EntityTooSmall", "InvalidPart", "InvalidPartOrder"),
        SpecRefused,
        reasons.STORAGE_UNSUPPORTED,
        "the server takes no upload in such parts, which files above 5 GB need: use another server or a smaller base",
        "all",
    ),
    Meaning(
        ("BadDigest", "ConditionalRequestConflict", "IncompleteBody", "InternalError", "NoSuchUpload",
         "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown", "TemporaryRedirect", "Throttling",
         "ThrottlingException", "TooManyRequests", "Unavailable", "Busy", "409", "429"),
        TemporaryError,
        reasons.STORAGE_UNAVAILABLE,
        "nothing to do, the request is sent again",
        "all",
    ),
    Meaning(
        ("InvalidBucketName", "InvalidArgument", "InvalidRequest", "InvalidURI", "InvalidDigest", "InvalidObjectName",
         "KeyTooLongError", "MalformedXML", "MethodNotAllowed", "NoSuchTenant"),
        SpecRefused,
        reasons.SPEC_REFUSED,
        "correct what it names in spec.output.s3, or use another server",
        "AWS, Ceph RGW, MinIO",
    ),
)  # fmt: skip
