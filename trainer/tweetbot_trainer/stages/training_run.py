"""One training, from its base to its publication.

Everything heavy is loaded here, before the tracker's thread starts: two threads that load large packages at once may
wait for each other.
"""

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import torch

from tweetbot_contract.result import Metrics, Sample, TrackingResult, TrainSucceeded
from tweetbot_trainer.data.dataset.dataset import Dataset
from tweetbot_trainer.data.dataset.profiles import CardAccount, load_accounts
from tweetbot_trainer.data.dataset.splits import Splits
from tweetbot_trainer.data.post_length import has_room_for_word
from tweetbot_trainer.data.posts import format_time
from tweetbot_trainer.learning.checkpoints.manager import CheckpointKey, CheckpointManager
from tweetbot_trainer.learning.checkpoints.naming import build_checkpoints_uri
from tweetbot_trainer.learning.evaluation.copies import HASHES_FILE, CopyDetector
from tweetbot_trainer.learning.evaluation.likelihood import bootstrap_interval
from tweetbot_trainer.learning.evaluation.memorization import measure_memorization
from tweetbot_trainer.learning.fine_tune import FineTuneResult, fine_tune
from tweetbot_trainer.learning.generation.generation import PostGenerator
from tweetbot_trainer.learning.model.base import Base, load_base
from tweetbot_trainer.learning.sampling import resolve_generation_config
from tweetbot_trainer.publishing.export import save_adapter, save_model
from tweetbot_trainer.publishing.registry.manifest import (
    ADAPTER_FOLDER,
    MODEL_FOLDER,
    REPORT_FOLDER,
    VersionManifest,
    build_model_name,
    build_model_uri,
)
from tweetbot_trainer.publishing.registry.publish import publish, store_rejected
from tweetbot_trainer.publishing.report.card_data import (
    CardData,
    find_languages,
    get_source_names,
    list_retweet_exclusions,
)
from tweetbot_trainer.publishing.report.report import METRICS_FILE, write_report
from tweetbot_trainer.publishing.tracking.interface import (
    TrackedArtifact,
    Tracker,
    make_base_artifact,
    make_dataset_artifact,
)
from tweetbot_trainer.runtime.versions import describe_program, get_library_versions
from tweetbot_trainer.stages.callbacks import training_callbacks
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import build_gate_error, can_publish, find_missed_gates, resolve_gates
from tweetbot_trainer.stages.provenance import build_provenance, find_other_handle
from tweetbot_trainer.stages.retention import erase_old_versions
from tweetbot_trainer.stages.training_plan import TrainingPlan
from tweetbot_trainer.store.file_records import build_file_records

#: So many texts the model writes, begun from nothing, before it is judged (design §9, "Verbatim rate").
MEASURED_TEXTS = 1000


def train_and_publish(context: StageContext, plan: TrainingPlan, dataset: Dataset, splits: Splits) -> TrainSucceeded:
    """Train and publish, and track it. Raises StageFailed of the fitting class."""
    with context.track({**plan.build_config(), "versions": get_library_versions()}) as tracker:
        data = plan.data
        tracker.log_artifact(
            make_dataset_artifact(context.run.name, data.uri, data.digest, data.table, direction="input")
        )
        if base := make_base_artifact(plan.base):
            tracker.log_artifact(base)
        return TrainingRun(context, plan, dataset, splits, tracker).execute()


@dataclass(frozen=True)
class TrainingRun:
    """The steps of a training, in the order of the methods."""

    context: StageContext
    plan: TrainingPlan
    dataset: Dataset
    splits: Splits
    tracker: Tracker

    @cached_property
    def _checkpoints(self) -> CheckpointManager:
        context = self.context
        return CheckpointManager(
            CheckpointKey(build_checkpoints_uri(context.run), self.plan.key, get_library_versions()),
            _clear_folder(context.work / "checkpoints"),
            store=context.store,
            best_effort_store=context.best_effort_store or context.store,
            interval=context.checkpoint_seconds,
            log=context.log,
        )

    @cached_property
    def _accounts(self) -> tuple[CardAccount, ...]:
        return load_accounts(self.context.store, self.plan.data.uri)

    def execute(self) -> TrainSucceeded:
        """Train, evaluate, write samples and report, publish, and return the result."""
        folder = _clear_folder(self.context.work / "finished")
        base = self._load_base()
        tuned = self._measure_memorization(base, self._fine_tune(base, folder))
        self.context.stop.check()
        posts = CopyDetector.from_posts([post.text for post in self.splits.train])
        samples = self._generate_samples(base, posts)
        self._save(base, tuned, samples, folder)
        (folder / MODEL_FOLDER / HASHES_FILE).write_bytes(posts.encode())
        manifest = self._build_manifest(tuned, samples, folder)
        self._require_gates(folder, manifest)
        result = publish(self.context.store, self.context.run, folder, manifest, check=self.context.stop.check)
        self.context.log.info("train.published", uri=result.model.uri)
        self._checkpoints.clear()
        shutil.rmtree(folder)
        erase_old_versions(self.context)
        return result.model_copy(update={"tracking": self._finish_tracking(result)})

    def _load_base(self) -> Base:
        return load_base(
            self.plan.base,
            train_texts=[post.text for post in self.splits.train],
            seed=self.plan.values.seed,
            folder=_clear_folder(self.context.work / "base"),
            download=self.context.base_files.download,
            retry_budget=self.context.retry_budget,
        )

    def _fine_tune(self, base: Base, folder: Path) -> FineTuneResult:
        wants_gpu = self.context.run.spec.resources.gpu.count > 0
        train, validation, test = self._count_splits()
        self.context.log.info("train.started", trainPosts=train, validationPosts=validation, testPosts=test)
        if wants_gpu and not torch.cuda.is_available():
            self.context.log.warning("train.without_gpu", message="torch sees no GPU: the CPU trains, and takes longer")
        metrics = folder / REPORT_FOLDER / METRICS_FILE
        context = self.context
        with training_callbacks(metrics, self.tracker, context.log, context.stop, progress=context.progress) as hooks:
            tuned = fine_tune(
                base,
                self.splits,
                self.plan.values,
                gpu=wants_gpu,
                callbacks=replace(hooks, checkpoints=self._checkpoints),
            )
        processor = tuned.outcome.device
        self.context.log.info("train.trained", device=processor.device_type, processor=processor.name)
        return tuned

    def _measure_memorization(self, base: Base, tuned: FineTuneResult) -> FineTuneResult:
        """Add how much of what the model writes stands in the posts it was trained on."""
        texts = self._make_generator(base).sample_unconditionally(MEASURED_TEXTS)
        train, test = ([post.text for post in part] for part in (self.splits.train, self.splits.test))
        found = measure_memorization(texts, train, test, seed=self.plan.values.seed)
        self.context.log.info("train.evaluated", **found.as_json())
        metrics = Metrics.model_validate(tuned.metrics.model_dump() | found.as_metrics())
        return replace(tuned, memorization=found, metrics=metrics)

    def _require_gates(self, folder: Path, manifest: VersionManifest) -> None:
        """Raise GateFailed, the model kept beside, where it misses what the spec demands."""
        spec, metrics = self.context.run.spec, manifest.metrics
        missed = find_missed_gates(spec, metrics)
        if not missed:
            return
        if can_publish(spec, metrics):
            self.context.log.warning("train.gate_missed", message="; ".join(missed), reliability=metrics.reliability)
            return
        self.tracker.set_summary(metrics.to_dict())
        kept_at = store_rejected(self.context.store, self.context.run, folder, manifest, check=self.context.stop.check)
        self._checkpoints.clear()
        erase_old_versions(self.context)
        raise build_gate_error(missed, kept_at)

    def _generate_samples(self, base: Base, exclude_copies_of: CopyDetector) -> tuple[Sample, ...]:
        evaluation = self.context.run.spec.evaluation
        for index, prompt in enumerate(evaluation.prompts):
            if not has_room_for_word(prompt):
                message = f"spec.evaluation.prompts[{index}] fills a post: the model adds no word, so it has no samples"
                self.context.log.warning("train.prompt_too_long", message=message)
        generator = self._make_generator(base)
        return tuple(
            Sample(prompt=prompt, text=text)
            for prompt in evaluation.prompts
            for text in generator.continue_prompt(prompt, evaluation.samples, exclude_copies_of=exclude_copies_of).posts
        )

    def _make_generator(self, base: Base) -> PostGenerator:
        config = resolve_generation_config(self.plan.values, base.model.config.n_positions)
        return PostGenerator(base, config, self.plan.values.seed, self.context.stop.check)

    def _save(self, base: Base, tuned: FineTuneResult, samples: tuple[Sample, ...], folder: Path) -> None:
        sampling = resolve_generation_config(self.plan.values, base.model.config.n_positions)
        save_model(base.model, base.tokenizer, sampling, folder / MODEL_FOLDER)
        if tuned.adapter and self.plan.values.lora:
            save_adapter(tuned.adapter, self.plan.values.lora, self.plan.base, folder / ADAPTER_FOLDER)
        run, plan = self.context.run, self.plan
        card = CardData(
            subject=run.spec.subject,
            model_name=build_model_name(run, plan.version),
            model_uri=build_model_uri(run, plan.version),
            source_names=get_source_names(run.spec.sources),
            source_tables=self.dataset.source_tables,
            without_retweets=list_retweet_exclusions(run.spec.sources),
            table=plan.data.table,
            dataset_digest=plan.data.digest,
            cleaning_recipe=run.spec.filter.recipe,
            newest_post_at=plan.data.newest_post_at,
            languages=find_languages(self.dataset.posts),
            parts=self._count_splits(),
            ordered_by=self.splits.ordered_by,
            base=plan.base,
            values=plan.values,
            outcome=tuned.outcome,
            metrics=tuned.metrics,
            memorization=tuned.memorization,
            interval=bootstrap_interval(tuned.test),
            ratio_interval=bootstrap_interval(tuned.test, tuned.base_test) if tuned.base_test else None,
            gates=resolve_gates(run.spec),
            sampling=sampling,
            samples=samples,
            prompts=run.spec.evaluation.prompts,
            made_by=describe_program(),
            tracking_url=self.tracker.current_result().wandb_url,
            accounts=self._accounts,
            other_handle=find_other_handle(run.spec, self._accounts),
        )
        write_report(card, folder, base_loss=tuned.base_test.loss if tuned.base_test else None)

    def _build_manifest(self, tuned: FineTuneResult, samples: tuple[Sample, ...], folder: Path) -> VersionManifest:
        run, plan = self.context.run, self.plan
        return VersionManifest(
            version=plan.version,
            training_key=plan.key,
            run_id=run.run_id,
            run_number=run.run_number,
            bot_uid=run.uid,
            published_at=format_time(datetime.now(UTC)),
            files=build_file_records(folder),
            dataset=plan.data,
            provenance=build_provenance(
                run,
                base=plan.base,
                sources=plan.sources,
                values=plan.values,
                processor=tuned.outcome.device,
                ordered_by=self.splits.ordered_by,
            ),
            metrics=tuned.metrics,
            samples=samples,
            tracking=self.tracker.current_result(),
        )

    def _finish_tracking(self, result: TrainSucceeded) -> TrackingResult:
        """End the tracking; the model is published, so this only adds where it lies and what it wrote."""
        figures = result.metrics.to_dict()
        self.tracker.set_summary(figures)
        self.tracker.log_table("samples", ("prompt", "prediction"), [(one.prompt, one.text) for one in result.samples])
        metadata = {"version": self.plan.version, "manifestSha256": result.model.digest, **figures}
        name = f"model-{self.context.run.name}"
        self.tracker.log_artifact(TrackedArtifact(name, "finetuned-model", result.model.uri, "output", metadata))
        return self.tracker.finish()

    def _count_splits(self) -> tuple[int, int, int]:
        return len(self.splits.train), len(self.splits.validation), len(self.splits.test)


def _clear_folder(folder: Path) -> Path:
    """Return the folder with nothing in it: an attempt before this one may have left something."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
