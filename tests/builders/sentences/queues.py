"""What Kueue says of a Workload that it does not admit."""

from builders.sentences.sentence import CPU, GPU, MEMORY, NO_GPU, QUEUE, Sentence


def _queued(words: str, *fields: str, says: str = "", stage: str = "Train", spec: str = "full") -> Sentence:
    return Sentence("Queued", words, fields, says, stage, spec)


_NEVER = "previously considered podsets requests (0) + current podset request (8) > maximum capacity (4)"
QUEUES = {
    "no LocalQueue": _queued("LocalQueue gpus doesn't exist", QUEUE, says="Create the LocalQueue gpus"),
    "no default LocalQueue": _queued("LocalQueue default doesn't exist", says="put the Job into it", spec="bare"),
    "a LocalQueue that is stopped": _queued("LocalQueue gpus is inactive", QUEUE, says="stopPolicy"),
    "another LocalQueue that is stopped": _queued("LocalQueue other is inactive", says="LocalQueue other resumed"),
    "no ClusterQueue": _queued("ClusterQueue all doesn't exist", QUEUE, says="ClusterQueue all created"),
    "a ClusterQueue that is stopped": _queued("ClusterQueue all is inactive", QUEUE, says="resumed"),
    "a ClusterQueue of other namespaces": _queued(
        "Workload namespace doesn't match ClusterQueue selector", QUEUE, says="namespaceSelector"
    ),
    "more CPU than there ever is": _queued(
        f"couldn't assign flavors to pod set main: insufficient quota for cpu in flavor a100, {_NEVER}", CPU
    ),
    "more memory than there ever is": _queued(
        "couldn't assign flavors to pod set main: insufficient quota for memory in flavor a100, request > maximum "
        "capacity (16Gi > 8Gi)",
        MEMORY,
    ),
    "more CPU, in the prepare stage": _queued(
        f"couldn't assign flavors to pod set main: insufficient quota for cpu in flavor a100, {_NEVER}",
        says="prepareCpu",
        stage="Prepare",
    ),
    "more memory, in the prepare stage": _queued(
        f"couldn't assign flavors to pod set main: insufficient quota for memory in flavor a100, {_NEVER}",
        says="prepareMemory",
        stage="Prepare",
    ),
    "CPU that nobody counts": _queued(
        "couldn't assign flavors to pod set main: resource cpu unavailable in ClusterQueue", says="cover cpu"
    ),
    "memory that nobody counts": _queued(
        "couldn't assign flavors to pod set main: resource memory unavailable in ClusterQueue", says="cover memory"
    ),
    "a GPU that nobody counts": _queued(
        "couldn't assign flavors to pod set main: resource nvidia.com/gpu unavailable in ClusterQueue", GPU, NO_GPU
    ),
    "disk that nobody counts": _queued(
        "couldn't assign flavors to pod set main: resource example.com/disk unavailable in ClusterQueue",
        says="cover example.com/disk",
    ),
}
