"""`tweetbot-trainer plan`: what a run of a manifest would do. It writes nothing, and asks X for nothing."""

import io
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.handover import ExitCode
from tweetbot_contract.spec.estimate import (
    POST_TOKENS,
    Span,
    TrainingEstimate,
    XBill,
    compute_x_bills,
    estimate_training,
)
from tweetbot_contract.status.forecast import foresee_gates
from tweetbot_trainer.cli.run import LocalRun, read_manifest
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.dataset.dataset import Dataset, build_dataset
from tweetbot_trainer.data.dataset.enough import require_enough
from tweetbot_trainer.data.dataset.source_counts import fill_tables
from tweetbot_trainer.data.dataset.store import is_stored, load_dataset
from tweetbot_trainer.learning.checkpoints.naming import build_checkpoints_uri, find_newest_step
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.values import resolve_hyperparameters, resolve_lora
from tweetbot_trainer.publishing.registry.lookup import find_reusable
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.runtime.errors import StageError, StageStopped
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import can_publish, judge_gates
from tweetbot_trainer.stages.source_reading import SourceReader
from tweetbot_trainer.stages.training_plan import build_dataset_result, choose_values


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run would do. `data` is None if no post can be read without paying, or at all."""

    data: DataTable | None
    prepared: bool
    """Whether this very run was prepared before, so that nothing is read again and X charges nothing."""
    x_bills: tuple[XBill, ...]
    adopts: str | None
    """Address of the model that it would adopt instead of training."""
    training: TrainingEstimate | None
    checkpoint: int | None
    """Step of the checkpoint that the training would go on from, if it fits; None if there is none."""
    obstacles: tuple[str, ...]
    """Why it would fail."""


def run_plan(manifest: Path, secrets: Path | None, stop: StopRequest, *, as_json: bool) -> int:
    """Print what a run would do; return 0, or 10 if it would fail. Raises SpecRefused for an invalid manifest."""
    with tempfile.TemporaryDirectory() as folder:
        run = LocalRun(
            read_manifest(manifest), Path(folder), secrets=secrets or Path("secrets"), stop=stop, log=Log(io.StringIO())
        )
        plan = build_plan(run.build_context_here("Prepare"))
    print(json.dumps(build_document(plan), ensure_ascii=False) if as_json else "\n".join(format_plan(plan)))
    return int(ExitCode.REFUSED if plan.obstacles else ExitCode.DONE)


def build_plan(context: StageContext) -> RunPlan:
    """Read what can be read for nothing, and plan the run. What a stage would raise becomes an obstacle."""
    run, spec = context.run, context.run.spec
    obstacles: list[str] = []
    record = read_record(context.store, run)
    prepared = record is not None and is_stored(context.store, run, record.result.dataset.digest)
    base = record.base if record else _identify_base(context, obstacles)
    if record and prepared:
        dataset: Dataset | None = load_dataset(context.store, run, record.result.dataset.digest)
    else:
        dataset = _read_free_posts(context, obstacles)
    unread = () if prepared else tuple(source.x.max_posts for source in spec.sources if source.x)
    whole = dataset if not unread else None
    adopts = _find_adopted(context, base, whole) if base and whole and not obstacles else None
    train = not adopts and (dataset or unread)
    if train:
        obstacles += foresee_gates(spec, len(dataset.posts) if dataset and not unread else None, None)
    return RunPlan(
        data=dataset.table if dataset else None,
        prepared=prepared,
        x_bills=() if prepared else compute_x_bills(spec.sources),
        adopts=adopts,
        training=estimate_training(spec, _count_tokens(dataset) + sum(unread) * POST_TOKENS) if train else None,
        checkpoint=find_newest_step(context.store, build_checkpoints_uri(run)) if train else None,
        obstacles=tuple(obstacles),
    )


def _identify_base(context: StageContext, obstacles: list[str]) -> BaseIdentity | None:
    """Identify the base, and check that the memory holds its training."""
    spec = context.run.spec
    values = resolve_hyperparameters(spec.training, spec.model.base, spec.sources, resolve_lora(spec.model))
    try:
        return context.inspect_base(values)[0]
    except StageStopped:
        raise
    except StageError as error:
        obstacles.append(f"{error.reason.name}: {error.message}")
        return None


def _read_free_posts(context: StageContext, obstacles: list[str]) -> Dataset | None:
    """Read and clean the posts of every source that costs nothing; None if there is none, or one cannot be read."""
    spec = context.run.spec
    reader = SourceReader(context, free_only=True)
    if not any(source.x is None for source in spec.sources):
        return None
    try:
        dataset = build_dataset(clean(reader.read_posts(), spec.filter), spec.filter, sources=len(spec.sources))
        dataset = fill_tables(dataset, [read.counts for read in reader.results])
        paid = frozenset(index for index, source in enumerate(spec.sources) if source.x)
        counts = [read.counts for read in reader.results]
        require_enough(dataset, counts, spec.sources, spec.filter, skipped=paid)
    except StageStopped:
        raise
    except StageError as error:
        obstacles.append(f"{error.reason.name}: {error.message}")
        return None
    return dataset


def _find_adopted(context: StageContext, base: BaseIdentity, dataset: Dataset) -> str | None:
    if context.run.forced:
        return None
    _, key = choose_values(context.store, context.run, base, build_dataset_result(dataset, ""))
    found = find_reusable(context.store, context.run, key)
    return found.model.uri if found and can_publish(judge_gates(context.run.spec, found.metrics)) else None


def _count_tokens(dataset: Dataset | None) -> int:
    """Estimate the tokens of the posts: one for four characters, and an end mark."""
    return sum(len(post.text) // 4 + 1 for post in dataset.posts) if dataset else 0


def build_document(plan: RunPlan) -> dict[str, Any]:
    """Return the plan as a document in JSON."""
    return {
        "data": plan.data.to_dict() if plan.data else None,
        "prepared": plan.prepared,
        "xBills": [
            {"source": bill.source, "mostUsd": bill.most_usd, "refusedAboveUsd": bill.refused_above_usd}
            for bill in plan.x_bills
        ],
        "adopts": plan.adopts,
        "training": asdict(plan.training) if plan.training else None,
        "checkpoint": plan.checkpoint,
        "obstacles": list(plan.obstacles),
    }


def format_plan(plan: RunPlan) -> list[str]:
    """Return the lines that a person reads."""
    lines = [f"posts    {_describe_data(plan)}"]
    lines += [
        f"X        sources[{bill.source}] cannot be read without paying: at most ${bill.most_usd:.2f}; "
        f"the run stops at ${bill.refused_above_usd}"
        for bill in plan.x_bills
    ]
    if plan.adopts:
        lines.append(f"adopts   {plan.adopts}: no training at all")
    if plan.training:
        lines += _describe_training(plan.training)
    if plan.checkpoint is not None:
        lines.append(f"resumes  from the checkpoint of step {plan.checkpoint:,}, if it fits")
    return [*lines, *(f"fails    {why}" for why in plan.obstacles)]


def _describe_data(plan: RunPlan) -> str:
    if plan.data is None:
        return "none could be read"
    table = plan.data
    drops = "".join(f", {count} {name}" for name in DataTable.DROPS if (count := getattr(table, name)))
    return f"{table.downloaded} read{drops}, {table.kept} kept{'; prepared before' if plan.prepared else ''}"


def _describe_training(training: TrainingEstimate) -> list[str]:
    lines = [f"steps    {_format_span(training.steps)}", f"tokens   {_format_span(training.tokens)}"]
    minutes = (
        _format_span(training.minutes, digits=1) if training.minutes else "unknown: the size of this base is not known"
    )
    return [*lines, f"minutes  {minutes}"]


def _format_span(span: Span, digits: int = 0) -> str:
    least, most = f"{span.least:,.{digits}f}", f"{span.most:,.{digits}f}"
    return least if least == most else f"{least} to {most}"
