"""What the cluster says that keeps a run from starting, to the letter, and what the advice then names."""

from builders.sentences.admission import ADMISSION
from builders.sentences.images import IMAGES
from builders.sentences.jobs import JOBS
from builders.sentences.kubelet import KUBELET
from builders.sentences.queues import QUEUES
from builders.sentences.scheduler import SCHEDULER
from builders.sentences.sentence import FULL as FULL
from builders.sentences.sentence import GATED as GATED
from builders.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {**ADMISSION, **JOBS, **SCHEDULER, **KUBELET, **IMAGES, **QUEUES}
