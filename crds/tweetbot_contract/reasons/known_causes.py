"""Every cause that the cluster names in words that we know: where to look, and in which order."""

from tweetbot_contract.reasons.admission_causes import ADMISSION
from tweetbot_contract.reasons.image_causes import IMAGES
from tweetbot_contract.reasons.known_cause import KnownCause
from tweetbot_contract.reasons.node_causes import NODE
from tweetbot_contract.reasons.queue_causes import QUEUES

KNOWN_CAUSES: tuple[KnownCause, ...] = (*ADMISSION, *NODE, *IMAGES, *QUEUES)
