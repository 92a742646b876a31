"""What the kubelet and the runtime say of a Pod that they cannot start."""

from builders.sentences.sentence import (
    BASE,
    NO_GPU,
    NO_POLICY,
    RUNTIME,
    S3_SECRET,
    SELECTOR,
    Sentence,
)


def _mounts(words: str, *fields: str, says: str = "", spec: str = "full") -> Sentence:
    said = f'MountVolume.SetUp failed for volume "secrets" : {words}'
    return Sentence("SecretNotFound", said, fields, says, "Prepare", spec)


def _starts(words: str, *fields: str, says: str = "", spec: str = "full") -> Sentence:
    return Sentence("ContainerNotStarted", words, fields, says, "Train", spec)


KUBELET = {
    "no S3 Secret": _mounts('secret "s3" not found', S3_SECRET, says="Create the Secret s3"),
    "no X Secret": _mounts('secret "x-api" not found', "spec.sources[1].x.tokenSecret.name", says="Secret x-api"),
    "no Secret of the base": _mounts('secret "reader" not found', "spec.model.tokenSecret.name", spec="gated"),
    "no key for the base": _mounts(
        "references non-existent secret key: token",
        "spec.model.tokenSecret.key",
        says="Add the key token",
        spec="gated",
    ),
    "neither Secret": _mounts(
        '[secret "s3" not found, secret "x-api" not found]', S3_SECRET, "spec.sources[1].x.tokenSecret.name"
    ),
    "a policy's Secret": _mounts('secret "vault" not found', says=NO_POLICY),
    "no S3 key": _mounts(
        "references non-existent secret key: AWS_SECRET_ACCESS_KEY", S3_SECRET, says="Add the key AWS_SECRET_ACCESS_KEY"
    ),
    "no X key": _mounts(
        "references non-existent secret key: bearer", "spec.sources[1].x.tokenSecret.key", says="Add the key bearer"
    ),
    "no CA": _mounts('configmap "company-ca" not found', "spec.caBundle.name", says="Create the ConfigMap company-ca"),
    "no CA of the platform's": _mounts(
        'configmap "company-ca" not found', says="the TweetBotClass, or the operator", spec="bare"
    ),
    "no key of the CA": _mounts(
        "configmap references non-existent config key: root.crt", "spec.caBundle.name", "spec.caBundle.key"
    ),
    "no key of the platform's CA": _mounts(
        "configmap references non-existent config key: ca.crt", says="the TweetBotClass, or the operator", spec="bare"
    ),
    "a policy's variable": _mounts("couldn't find key token in Secret team-a/vault", says=NO_POLICY),
    "no runtime": _starts(
        "ContainerCreating of container trainer: Failed to create pod sandbox: rpc error: code = Unknown desc = failed "
        'to get sandbox runtime: no runtime for "runsc" is configured',
        RUNTIME,
        SELECTOR,
        says="the runtime runsc",
    ),
    "no runtime of CRI-O": _starts(
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to find runtime handler runsc from "
        "runtime list map[crun:0x1]",
        RUNTIME,
        SELECTOR,
    ),
    "a RuntimeClass that is gone": _starts(
        'Failed to create pod sandbox: runtimeclass.node.k8s.io "gvisor" not found', RUNTIME
    ),
    "a volume in use": _starts(
        'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can\'t be '
        "attached to another",
        BASE,
        says="ReadOnlyMany",
    ),
    "a volume that cannot be mounted": _starts(
        'MountVolume.MountDevice failed for volume "pvc-1" : rpc error: code = Internal', BASE, says="storage driver"
    ),
    "root": _starts(
        "CreateContainerConfigError of container trainer: container has runAsNonRoot and image will run as root (pod: "
        '"gull_team-a(1)", container: trainer)',
        says="runAsUser",
    ),
    "no network": _starts(
        'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "1": '
        'plugin type="calico" failed (add): connection refused',
        says="network plugin",
    ),
    "a full disk": _starts(
        'MountVolume.SetUp failed for volume "secrets" : mkdir /var/lib/kubelet/pods/1: no space left on device',
        says="room made",
    ),
    "no driver": _starts(
        "RunContainerError of container trainer: failed to create containerd task: failed to create shim task: OCI "
        "runtime create failed: nvidia-container-cli: initialization error: nvml error: driver not loaded",
        NO_GPU,
    ),
}
