"""One training, from the base model to the publication.

torch is imported here, before the tracker's thread starts: two threads that import large packages at the same time can
deadlock. matplotlib comes when the model is trained and the tracker has started: no first step waits for it.
"""

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from tweetbot_contract.data_table import REASON_LIMIT
from tweetbot_contract.result import Metrics, Sample, TrainSucceeded
from tweetbot_contract.spec.memory import resolve_memory
from tweetbot_contract.spec.quantities import read_quantity
from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.data.dataset.dataset import Dataset
from tweetbot_trainer.data.dataset.profiles import load_accounts
from tweetbot_trainer.data.dataset.splits import Splits
from tweetbot_trainer.data.dataset.statements import find_contradictions
from tweetbot_trainer.data.post_length import has_room_for_word
from tweetbot_trainer.data.posts import format_time
from tweetbot_trainer.learning.checkpoints.manager import CheckpointKey, CheckpointManager
from tweetbot_trainer.learning.checkpoints.naming import build_checkpoints_uri
from tweetbot_trainer.learning.evaluation.comparison import Comparison, NoComparison
from tweetbot_trainer.learning.evaluation.likelihood import bootstrap_interval
from tweetbot_trainer.learning.evaluation.memorization import measure_memorization
from tweetbot_trainer.learning.fine_tune import FineTuneResult, fine_tune
from tweetbot_trainer.learning.generation.generation import PostGenerator
from tweetbot_trainer.learning.model.base import Base, load_base
from tweetbot_trainer.learning.sampling import SamplingParams, resolve_generation_config
from tweetbot_trainer.learning.style.style import measure_style
from tweetbot_trainer.learning.training.accelerator import require_gpu
from tweetbot_trainer.publishing.export import save_adapter, save_model
from tweetbot_trainer.publishing.registry.manifest import (
    ADAPTER_FOLDER,
    METRICS_FILE,
    MODEL_FOLDER,
    REPORT_FOLDER,
    VersionManifest,
    build_model_name,
    build_model_uri,
)
from tweetbot_trainer.publishing.registry.ownership import require_owner
from tweetbot_trainer.publishing.registry.publish import publish, store_rejected
from tweetbot_trainer.publishing.registry.retention import erase_old_versions
from tweetbot_trainer.publishing.report.card_data import (
    CardData,
    get_source_names,
    list_account_pages,
    list_retweet_exclusions,
)
from tweetbot_trainer.publishing.report.card_languages import find_languages
from tweetbot_trainer.publishing.tracking.interface import Tracker
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.versions import describe_program, get_library_versions
from tweetbot_trainer.stages.callbacks import training_callbacks
from tweetbot_trainer.stages.champion import compare_with_served
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import (
    Miss,
    build_advisory,
    build_gate_error,
    can_publish,
    judge_gates,
    resolve_gates,
)
from tweetbot_trainer.stages.provenance import build_provenance
from tweetbot_trainer.stages.tracking import (
    build_train_config,
    finish_training,
    track_rejected,
    track_training_inputs,
)
from tweetbot_trainer.stages.training_plan import TrainingPlan
from tweetbot_trainer.store import BestEffortStore
from tweetbot_trainer.store.file_records import build_file_records
from tweetbot_trainer.store.s3_client import describe_server

#: Texts that the model generates without a prompt, to measure how much it repeats (design §9, "Verbatim rate").
MEASURED_TEXTS = 1000

Misses: TypeAlias = tuple[Miss, ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """Texts that the model wrote, by prompt, and how many of them were cut to a post's length."""

    texts: tuple[Sample, ...]
    cut: int


def train_and_publish(context: StageContext, plan: TrainingPlan, dataset: Dataset, splits: Splits) -> TrainSucceeded:
    """Train, publish and track. Raises StageError."""
    require_gpu(context.run.spec.resources.gpu)
    with context.track(build_train_config(plan)) as tracker:
        track_training_inputs(tracker, context.run, plan)
        return TrainingRun(context, plan, dataset, splits, tracker).execute()


class TrainingRun:
    """The steps of a training, in the order of the methods."""

    def __init__(
        self, context: StageContext, plan: TrainingPlan, dataset: Dataset, splits: Splits, tracker: Tracker
    ) -> None:
        self._context, self._plan, self._dataset, self._splits, self._tracker = context, plan, dataset, splits, tracker
        self._run, self._store, self._log, self._stop = context.run, context.store, context.log, context.stop
        self._train_texts = [post.text for post in splits.train]
        self._notes: list[str] = []
        self._split_sizes = len(splits.train), len(splits.validation), len(splits.test)
        self._checkpoints = CheckpointManager(
            CheckpointKey(build_checkpoints_uri(context.run), plan.key, get_library_versions()),
            _clear_folder(context.work / "checkpoints"),
            store=context.store,
            best_effort=context.best_effort or BestEffortStore(context.store),
            interval=context.checkpoint_seconds,
            log=context.log,
        )

    def execute(self) -> TrainSucceeded:
        """Train, evaluate, write samples and report, and publish."""
        folder = _clear_folder(self._context.work / "finished")
        base = self._load_base()
        sampling = resolve_generation_config(self._plan.values, base.model.config.context)
        generator = PostGenerator(base, sampling, self._plan.values.seed, self._stop.check)
        tuned = self._measure_samples(generator, self._fine_tune(base, folder))
        self._stop.check()
        samples = self._generate_samples(generator, CopyDetector.from_posts(self._train_texts))
        self._save_model(base, sampling, tuned, folder / MODEL_FOLDER)
        del base, generator  # the served model takes their room
        comparison = self._compare_with_served(tuned)
        misses = judge_gates(self._run.spec, tuned.metrics, comparison)
        card = replace(self._make_card(tuned, sampling, samples, misses), comparison=comparison)
        self._write_report(card, folder, tuned)
        manifest = self._build_manifest(tuned, samples, misses, folder)
        self._require_gates(misses, folder, manifest)
        result = publish(self._store, self._run, folder, manifest, check=self._stop.check)
        self._log.info("train.published", uri=result.model.uri)
        if self._run.spec.output.hugging_face is None:  # else its files are sent on from there
            shutil.rmtree(folder)
        self._erase_leftovers()
        tracking = finish_training(self._tracker, self._run, self._plan.version, result, self._log)
        notes = " ".join(dict.fromkeys(self._notes))[:REASON_LIMIT] or None
        return result.model_copy(update={"tracking": tracking, "advisory": notes})

    def _load_base(self) -> Base:
        return load_base(
            self._plan.base,
            train_texts=self._train_texts,
            seed=self._plan.values.seed,
            folder=_clear_folder(self._context.work / "base"),
            download=self._context.base_files.download,
            hub_token=self._context.base_files.hub_token,
            retry_budget=self._context.retry_budget,
        )

    def _fine_tune(self, base: Base, folder: Path) -> FineTuneResult:
        train, validation, test = self._split_sizes
        self._log.info("train.started", trainPosts=train, validationPosts=validation, testPosts=test)
        gpus = self._run.spec.resources.gpu.count
        metrics, progress = folder / REPORT_FOLDER / METRICS_FILE, self._context.progress
        with training_callbacks(
            metrics, self._tracker, self._log, self._stop, progress=progress, note=self._notes.append
        ) as callbacks:
            callbacks = replace(callbacks, checkpoints=self._checkpoints)
            memory = int(read_quantity(resolve_memory(self._run.spec)) or 0) or None
            tuned = fine_tune(base, self._splits, self._plan.values, gpus=gpus, callbacks=callbacks, memory=memory)
        device = tuned.outcome.device
        self._log.info("train.trained", device=device.device_type, processor=device.name)
        return tuned

    def _measure_samples(self, generator: PostGenerator, tuned: FineTuneResult) -> FineTuneResult:
        """Add how much of the generated text repeats training posts, and how much it sounds like its author."""
        texts = generator.sample_unconditionally(MEASURED_TEXTS)
        test_texts = [post.text for post in self._splits.test]
        found = measure_memorization(texts, self._train_texts, test_texts, seed=self._plan.values.seed)
        style = measure_style(texts, self._train_texts, [post.text for post in self._splits.validation] + test_texts)
        self._log.info("train.evaluated", **found.as_json(), style=style.as_json())
        metrics = Metrics.model_validate(tuned.metrics.model_dump() | found.as_metrics() | style.as_metrics())
        return replace(tuned, memorization=found, style=style, metrics=metrics)

    def _generate_samples(self, generator: PostGenerator, exclude_copies_of: CopyDetector) -> Samples:
        evaluation = self._run.spec.evaluation
        for index, prompt in enumerate(evaluation.prompts):
            if not has_room_for_word(prompt):
                message = f"spec.evaluation.prompts[{index}] leaves no room for another word, so it has no samples"
                self._log.warning("train.prompt_too_long", message=message)
                self._notes.append(f"{message}: shorten it.")
        written = [
            (prompt, generator.continue_prompt(prompt, evaluation.samples, exclude_copies_of=exclude_copies_of))
            for prompt in evaluation.prompts
        ]
        texts = tuple(Sample(prompt=prompt, text=text) for prompt, found in written for text in found.posts)
        return Samples(texts, cut=sum(found.cut for _, found in written))

    def _save_model(self, base: Base, sampling: SamplingParams, tuned: FineTuneResult, folder: Path) -> None:
        save_model(base.model, base.tokenizer, sampling, folder)
        if tuned.adapter and self._plan.values.lora:
            save_adapter(tuned.adapter, self._plan.values.lora, self._plan.base, folder.with_name(ADAPTER_FOLDER))

    def _compare_with_served(self, tuned: FineTuneResult) -> Comparison | NoComparison | None:
        """Compare the model with the served one, whose files take the room of the base's."""
        shutil.rmtree(self._context.work / "base", ignore_errors=True)
        self._stop.check()
        return compare_with_served(self._context, self._plan, self._splits.test, tuned.test)

    def _make_card(self, tuned: FineTuneResult, sampling: SamplingParams, samples: Samples, misses: Misses) -> CardData:
        run, spec, plan, tracking = self._run, self._run.spec, self._plan, self._tracker.get_current_result()
        accounts = load_accounts(self._store, plan.data.uri)
        return CardData(
            subject=spec.subject,
            model_name=build_model_name(run, plan.version),
            model_uri=build_model_uri(run, plan.version),
            source_names=get_source_names(spec.sources),
            source_tables=self._dataset.source_tables,
            account_pages=list_account_pages(spec.sources, accounts, spec.subject),
            without_retweets=list_retweet_exclusions(spec.sources),
            table=plan.data.table,
            dataset_digest=plan.data.digest,
            dataset_uri=plan.data.uri,
            cleaning_recipe=spec.filter.recipe,
            newest_post_at=plan.data.newest_post_at,
            languages=find_languages(self._dataset.posts),
            parts=self._split_sizes,
            ordered_by=self._splits.ordered_by,
            base=plan.base,
            values=plan.values,
            outcome=tuned.outcome,
            metrics=tuned.metrics,
            memorization=tuned.memorization,
            style=tuned.style,
            interval=bootstrap_interval(tuned.test),
            ratio_interval=bootstrap_interval(tuned.test, tuned.base_test) if tuned.base_test else None,
            gates=resolve_gates(spec),
            missed_gates=tuple(miss.finding.why for miss in misses),
            sampling=sampling,
            samples=samples.texts,
            prompts=spec.evaluation.prompts,
            made_by=describe_program(),
            tracking_url=tracking.wandb_url,
            report_url=tracking.report_url,
            output=describe_server(spec.output.s3),
            accounts=accounts,
            contradictions=find_contradictions(spec.subject, spec.sources, accounts),
            samples_cut=samples.cut,
        )

    def _write_report(self, card: CardData, folder: Path, tuned: FineTuneResult) -> None:
        from tweetbot_trainer.publishing.report.report import write_report  # draws, so it loads matplotlib

        write_report(card, folder, base_loss=tuned.base_test.loss if tuned.base_test else None)

    def _build_manifest(self, tuned: FineTuneResult, samples: Samples, misses: Misses, folder: Path) -> VersionManifest:
        run, plan = self._run, self._plan
        return VersionManifest(
            version=plan.version,
            training_key=plan.key,
            run_id=run.run_id,
            run_number=run.run_number,
            bot_uid=run.uid,
            published_at=format_time(datetime.now(UTC)),
            files=build_file_records(folder),
            dataset=plan.data,
            provenance=build_provenance(run, plan, tuned.outcome.device, self._splits.ordered_by),
            metrics=tuned.metrics,
            samples=samples.texts,
            tracking=self._tracker.get_current_result(),
            gate_advisory=build_advisory(misses),
        )

    def _require_gates(self, misses: Misses, folder: Path, manifest: VersionManifest) -> None:
        """Raise GateFailed, and store the model as rejected, if it misses a binding gate."""
        if can_publish(misses):
            return
        kept_at = store_rejected(self._store, self._run, folder, manifest, check=self._stop.check)
        track_rejected(self._tracker, self._run, manifest, kept_at, self._log)
        self._erase_leftovers()
        raise build_gate_error(misses, manifest.metrics, kept_at)

    def _erase_leftovers(self) -> None:
        """Erase what the run and its forerunners left, unless the folder has come to belong to another TweetBot."""
        try:
            require_owner(self._store, self._run)
        except StageError as fault:
            self._log.warning("train.leftovers", reason=str(fault.reason), message=fault.message)
            return
        self._checkpoints.clear()
        if left := erase_old_versions(self._store, self._run, self._log, self._stop):
            self._notes.append(left)


def _clear_folder(folder: Path) -> Path:
    """Empty a folder: an earlier attempt may have left files in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
