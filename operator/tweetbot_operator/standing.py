"""Where a TweetBot stands: one row of the design's condition table."""

from dataclasses import dataclass

from tweetbot_contract.status import Phase


@dataclass(frozen=True, slots=True)
class Standing:
    """What Ready, Stalled, Progressing and phase say together.

    There is no row for `Reconciling`: until the operator has recorded a generation, `observedGeneration` differs, and
    kstatus reads exactly that as InProgress; from then on it has been acted on.
    """

    phase: Phase
    reason: str
    message: str
    progressing: bool = True
    stalled: bool = False
