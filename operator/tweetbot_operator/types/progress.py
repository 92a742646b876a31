"""TODO."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """Where a training stands; what the sender did not say is None."""

    percent: int | None = None
    step: int | None = None
    total_steps: int | None = None
    eta_seconds: int | None = None
    train_loss: float | None = None
    eval_loss: float | None = None

    def merge(self, former: "Report") -> "Report":
        """Return this report, with what it leaves out from the one before; an estimate does not outlive its report."""
        return Report(
            percent=former.percent if self.percent is None else self.percent,
            step=former.step if self.step is None else self.step,
            total_steps=former.total_steps if self.total_steps is None else self.total_steps,
            eta_seconds=self.eta_seconds,
            train_loss=former.train_loss if self.train_loss is None else self.train_loss,
            eval_loss=former.eval_loss if self.eval_loss is None else self.eval_loss,
        )

    def is_behind(self, former: "Report") -> bool:
        """Whether it goes back behind one of the same Pod."""
        pairs = ((self.percent, former.percent), (self.step, former.step))
        return any(mine is not None and theirs is not None and mine < theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class LatestReport:
    """The latest report of a run, and the Pod that made it."""

    run_id: str
    pod_uid: str
    report: Report
