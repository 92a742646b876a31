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
from tweetbot_trainer.data.dataset.dataset import Dataset, DatasetPost
from tweetbot_trainer.data.dataset.profiles import Account, stored_accounts
from tweetbot_trainer.data.dataset.splits import Splits
from tweetbot_trainer.data.post_length import leaves_room
from tweetbot_trainer.data.posts import printed_time
from tweetbot_trainer.learning.checkpoints.manager import CheckpointShelf, Training
from tweetbot_trainer.learning.checkpoints.naming import checkpoints_uri
from tweetbot_trainer.learning.evaluation.copies import HASHES_FILE, TrainingPosts
from tweetbot_trainer.learning.evaluation.likelihood import interval_of
from tweetbot_trainer.learning.evaluation.memorization import memorisation_of
from tweetbot_trainer.learning.fine_tune import FineTuned, fine_tune
from tweetbot_trainer.learning.generation.generation import free_texts, samples_for
from tweetbot_trainer.learning.model.base import Base, load_base
from tweetbot_trainer.learning.sampling import sampling_of
from tweetbot_trainer.publishing.export import save_adapter, save_model
from tweetbot_trainer.publishing.registry.manifest import (
    ADAPTER_FOLDER,
    MODEL_FOLDER,
    REPORT_FOLDER,
    VersionManifest,
    model_name,
    model_uri,
)
from tweetbot_trainer.publishing.registry.publish import keep_beside, publish
from tweetbot_trainer.publishing.report.card_facts import CardFacts, languages_of, source_names_of, without_retweets
from tweetbot_trainer.publishing.report.report import METRICS_FILE, write_report
from tweetbot_trainer.publishing.tracking import TrackedArtifact, Tracker, base_artifact, dataset_artifact
from tweetbot_trainer.runtime.versions import made_by, versions
from tweetbot_trainer.stages.callbacks import watched_training
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import effective_gates, gate_failed, missed_gates, passes
from tweetbot_trainer.stages.provenance import other_handle, provenance_of
from tweetbot_trainer.stages.retention import erase_old_versions
from tweetbot_trainer.stages.training_plan import TrainingPlan
from tweetbot_trainer.store.file_records import records_of

#: So many texts the model writes, begun from nothing, before it is judged (design §9, "Verbatim rate").
MEASURED_TEXTS = 1000


def tracked_training(
    context: StageContext, plan: TrainingPlan, dataset: Dataset, splits: Splits[DatasetPost]
) -> TrainSucceeded:
    """Train and publish, and track it. Raises StageFailed of the fitting class."""
    with context.tracked({**plan.as_config(), "versions": versions()}) as tracker:
        data = plan.data
        tracker.artifact(dataset_artifact(context.run.name, data.uri, data.digest, data.table, direction="input"))
        if base := base_artifact(plan.base):
            tracker.artifact(base)
        return TrainingRun(context, plan, dataset, splits, tracker).published()


@dataclass(frozen=True)
class TrainingRun:
    """The steps of a training, in the order of the methods."""

    context: StageContext
    plan: TrainingPlan
    dataset: Dataset
    splits: Splits[DatasetPost]
    tracker: Tracker

    @cached_property
    def _shelf(self) -> CheckpointShelf:
        context = self.context
        return CheckpointShelf(
            Training(checkpoints_uri(context.run), self.plan.key, versions()),
            _emptied(context.work / "checkpoints"),
            store=context.store,
            hasty=context.hasty_store or context.store,
            interval=context.checkpoint_seconds,
            log=context.log,
        )

    @cached_property
    def _accounts(self) -> tuple[Account, ...]:
        return stored_accounts(self.context.store, self.plan.data.uri)

    def published(self) -> TrainSucceeded:
        """Train, evaluate, write samples and report, publish, and return the result."""
        folder = _emptied(self.context.work / "finished")
        base = self._base()
        tuned = self._measured(base, self._tuned(base, folder))
        self.context.stop.check()
        posts = TrainingPosts.of([post.text for post in self.splits.train])
        samples = self._samples(base, posts)
        self._save(base, tuned, samples, folder)
        (folder / MODEL_FOLDER / HASHES_FILE).write_bytes(posts.encoded())
        manifest = self._manifest(tuned, samples, folder)
        self._require_gates(folder, manifest)
        result = publish(self.context.store, self.context.run, folder, manifest, check=self.context.stop.check)
        self.context.log.info("train.published", uri=result.model.uri)
        self._shelf.clear()
        shutil.rmtree(folder)
        erase_old_versions(self.context)
        return result.model_copy(update={"tracking": self._tracked(result)})

    def _base(self) -> Base:
        return load_base(
            self.plan.base,
            train_texts=[post.text for post in self.splits.train],
            seed=self.plan.values.seed,
            folder=_emptied(self.context.work / "base"),
            download=self.context.base_files.download,
            patience=self.context.patience,
        )

    def _tuned(self, base: Base, folder: Path) -> FineTuned:
        wants_gpu = self.context.run.spec.resources.gpu.count > 0
        train, validation, test = self._parts()
        self.context.log.info("train.started", trainPosts=train, validationPosts=validation, testPosts=test)
        if wants_gpu and not torch.cuda.is_available():
            self.context.log.warning("train.without_gpu", message="torch sees no GPU: the CPU trains, and takes longer")
        metrics = folder / REPORT_FOLDER / METRICS_FILE
        context = self.context
        with watched_training(metrics, self.tracker, context.log, context.stop, place=context.report_place) as hooks:
            tuned = fine_tune(
                base, self.splits, self.plan.values, gpu=wants_gpu, hooks=replace(hooks, checkpoints=self._shelf)
            )
        processor = tuned.outcome.processor
        self.context.log.info("train.trained", device=processor.device, processor=processor.name)
        return tuned

    def _measured(self, base: Base, tuned: FineTuned) -> FineTuned:
        """Add how much of what the model writes stands in the posts it was trained on."""
        texts = free_texts(
            base.model,
            base.tokenizer,
            count=MEASURED_TEXTS,
            sampling=sampling_of(self.plan.values, base.model.config.n_positions),
            seed=self.plan.values.seed,
            check=self.context.stop.check,
        )
        train, test = ([post.text for post in part] for part in (self.splits.train, self.splits.test))
        found = memorisation_of(texts, train, test, seed=self.plan.values.seed)
        self.context.log.info("train.evaluated", **found.as_json())
        metrics = Metrics.model_validate(tuned.metrics.model_dump() | found.as_metrics())
        return replace(tuned, memorisation=found, metrics=metrics)

    def _require_gates(self, folder: Path, manifest: VersionManifest) -> None:
        """Raise GateFailed, the model kept beside, where it misses what the spec demands."""
        spec, metrics = self.context.run.spec, manifest.metrics
        missed = missed_gates(spec, metrics)
        if not missed:
            return
        if passes(spec, metrics):
            self.context.log.warning("train.gate_missed", message="; ".join(missed), reliability=metrics.reliability)
            return
        self.tracker.summary(metrics.as_json())
        kept_at = keep_beside(self.context.store, self.context.run, folder, manifest, check=self.context.stop.check)
        self._shelf.clear()
        erase_old_versions(self.context)
        raise gate_failed(missed, kept_at)

    def _samples(self, base: Base, unlike: TrainingPosts) -> tuple[Sample, ...]:
        evaluation = self.context.run.spec.evaluation
        sampling = sampling_of(self.plan.values, base.model.config.n_positions)
        for place, prompt in enumerate(evaluation.prompts):
            if not leaves_room(prompt):
                message = f"spec.evaluation.prompts[{place}] fills a post: the model adds no word, so it has no samples"
                self.context.log.warning("train.prompt_too_long", message=message)
        return samples_for(
            base.model,
            base.tokenizer,
            evaluation.prompts,
            count=evaluation.samples,
            sampling=sampling,
            seed=self.plan.values.seed,
            unlike=unlike,
            check=self.context.stop.check,
        )

    def _save(self, base: Base, tuned: FineTuned, samples: tuple[Sample, ...], folder: Path) -> None:
        sampling = sampling_of(self.plan.values, base.model.config.n_positions)
        save_model(base.model, base.tokenizer, sampling, folder / MODEL_FOLDER)
        if tuned.adapter and self.plan.values.lora:
            save_adapter(tuned.adapter, self.plan.values.lora, self.plan.base, folder / ADAPTER_FOLDER)
        run, plan = self.context.run, self.plan
        facts = CardFacts(
            subject=run.spec.subject,
            model_name=model_name(run, plan.version),
            model_uri=model_uri(run, plan.version),
            source_names=source_names_of(run.spec.sources),
            source_tables=self.dataset.source_tables,
            without_retweets=without_retweets(run.spec.sources),
            table=plan.data.table,
            dataset_digest=plan.data.digest,
            recipe=run.spec.filter.recipe,
            newest_post_at=plan.data.newest_post_at,
            languages=languages_of(self.dataset.posts),
            parts=self._parts(),
            ordered_by=self.splits.ordered_by,
            base=plan.base,
            values=plan.values,
            outcome=tuned.outcome,
            metrics=tuned.metrics,
            memorisation=tuned.memorisation,
            interval=interval_of(tuned.test),
            ratio_interval=interval_of(tuned.test, tuned.base_test) if tuned.base_test else None,
            gates=effective_gates(run.spec),
            sampling=sampling,
            samples=samples,
            prompts=run.spec.evaluation.prompts,
            made_by=made_by(),
            tracking_url=self.tracker.so_far().wandb_url,
            accounts=self._accounts,
            other_handle=other_handle(run.spec, self._accounts),
        )
        write_report(facts, folder, base_loss=tuned.base_test.loss if tuned.base_test else None)

    def _manifest(self, tuned: FineTuned, samples: tuple[Sample, ...], folder: Path) -> VersionManifest:
        run, plan = self.context.run, self.plan
        return VersionManifest(
            version=plan.version,
            training_key=plan.key,
            run_id=run.run_id,
            run_number=run.run_number,
            bot_uid=run.uid,
            published_at=printed_time(datetime.now(UTC)),
            files=records_of(folder),
            dataset=plan.data,
            provenance=provenance_of(
                run,
                base=plan.base,
                sources=plan.sources,
                values=plan.values,
                processor=tuned.outcome.processor,
                ordered_by=self.splits.ordered_by,
            ),
            metrics=tuned.metrics,
            samples=samples,
            tracking=self.tracker.so_far(),
        )

    def _tracked(self, result: TrainSucceeded) -> TrackingResult:
        """End the tracking; the model is published, so this only adds where it lies and what it wrote."""
        figures = result.metrics.as_json()
        self.tracker.summary(figures)
        self.tracker.table("samples", ("prompt", "prediction"), [(one.prompt, one.text) for one in result.samples])
        metadata = {"version": self.plan.version, "manifestSha256": result.model.digest, **figures}
        name = f"model-{self.context.run.name}"
        self.tracker.artifact(TrackedArtifact(name, "finetuned-model", result.model.uri, "output", metadata))
        return self.tracker.finish()

    def _parts(self) -> tuple[int, int, int]:
        return len(self.splits.train), len(self.splits.validation), len(self.splits.test)


def _emptied(folder: Path) -> Path:
    """Return the folder with nothing in it: an attempt before this one may have left something."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
