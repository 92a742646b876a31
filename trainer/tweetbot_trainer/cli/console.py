"""Shows a run at a terminal: its events as sentences, a progress bar, and a summary."""

import sys
from typing import Any, TextIO

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_trainer.runtime.log import Level, Log

_BAR = 30
_SENTENCES = {
    "run.not_pinned": "{message}",
    "prefix.owned": "{reason}: {message}",
    "prepare.found": "dataset {digest:.16} is already prepared",
    "archive.read": "sources[{source}] is an X export ({form}): found the full text of {joined} of {notes} long posts, "
    "removed {repeated} repeated posts",
    "bluesky.page": "{actor}: {posts} more posts",
    "bluesky.avatar": "{message}",
    "bluesky.max_posts": "{message}",
    "x.page": "@{handle}: a page of {posts} posts from X",
    "x.early_end": "X sends no more posts of @{handle}, although it counts more; asking again in {seconds} s",
    "x.circle": "X's next_token of @{handle} leads nowhere new; asking by ids",
    "x.read": "@{handle}: {posts} posts; {pagesFromX} pages requested from X for {spent} at X's list price; "
    "retweets: {retweets}",
    "x.avatar": "{message}",
    "mastodon.read": "sources[{source}] is a Mastodon export: {posts} public posts and boosts, {notPublic} posts that "
    "are not public skipped",
    "meta.read": "sources[{source}] is an export of {kind}: {posts} posts; left out: {repeated} repeated, {empty} "
    "without words or pictures",
    "reddit.read": "sources[{source}] is an export of Reddit: {posts} posts, {comments} comments; left out of them: "
    "{removed} removed, {repeated} repeated",
    "prepare.warning": "{reason}: {message}",
    "prepare.source": "sources[{source}] held {posts} posts",
    "prepare.excluded": "sources[{source}] held {posts} posts that filter.excludeIds excludes",
    "prepare.no_profile": "sources[{source}] has no profile: {message}",
    "prepare.no_picture": "{message}",
    "prepare.dataset": "dataset {digest:.16}: {kept} posts of {downloaded} kept",
    "prepare.adopted": "a model with the same dataset and training is already published: {uri}",
    "models.hashes_removed": "{message}",
    "models.hashes_left": "{message}",
    "train.found": "the model is already published: {uri}",
    "train.started": "training on {trainPosts} posts, {validationPosts} for validation, {testPosts} for test",
    "train.device": "computing in {precision} on {processor}",
    "checkpoint.saved": "saved a checkpoint of step {step}",
    "checkpoint.resumed": "going on from the checkpoint of step {step}",
    "checkpoint.failed": "no checkpoint of step {step}: {message}",
    "checkpoint.passed_over": "checkpoint {name} cannot be used: {message}",
    "checkpoint.other_precision": "{message}",
    "train.prompt_too_long": "{message}",
    "train.trained": "trained on {processor}",
    "train.halved": "{message}",
    "train.memory": "{message}",
    "train.evaluated": "{samples} texts written: {verbatimRate:.1%} repeat 50 characters of a training post",
    "train.not_compared": "not compared with version {version}: {message}",
    "models.erased": "erased {uri}",
    "train.published": "published {uri}",
    "service.retry": "{message}; trying again in {secondsLeft} s",
    "hub.published": "copied to {uri}",
    "hub.degraded": "not copied to the Hub: {message}",
    "tracking.degraded": "Weights & Biases: {message}",
    "tracking.sync_later": "{message}",
}


class ConsoleLog(Log):
    """Writes events as sentences, and progress as one line that is overwritten.

    `overwrite` says whether the stream can do that, as notebooks can; None: if it is a terminal.
    """

    def __init__(self, stream: TextIO | None = None, *, overwrite: bool | None = None) -> None:
        super().__init__(stream)
        self._overwrite, self._open_line = overwrite, False

    def _write(self, level: Level, event: str, fields: dict[str, Any]) -> None:
        if event == "progress":
            self._write_progress(fields)
            return
        sentence = _SENTENCES.get(event)
        text = sentence.format_map(fields) if sentence else f"{event} {fields}"
        self._end_line()
        print(text, file=self._stream or sys.stderr, flush=True)

    def _write_progress(self, fields: dict[str, Any]) -> None:
        stream = self._stream or sys.stderr
        done = _BAR * int(fields["percent"]) // 100
        bar = "█" * done + "·" * (_BAR - done)
        text = f"{bar} {fields['percent']:3d} %  loss {fields['trainLoss']:.3f}  {fields['etaSeconds']} s left   "
        self._open_line = stream.isatty() if self._overwrite is None else self._overwrite
        print(text, end="\r" if self._open_line else "\n", file=stream, flush=True)

    def _end_line(self) -> None:
        if self._open_line:
            print(file=self._stream or sys.stderr)
            self._open_line = False


def format_summary(prepared: PrepareSucceeded, trained: TrainSucceeded) -> str:
    """Format the data table, the metrics, the samples and the address of the model."""
    table, metrics = prepared.dataset.table, trained.metrics
    base = f", the base {metrics.base_bits_per_byte:.3f}" if metrics.base_bits_per_byte is not None else ""
    lines = [
        f"posts    {_format_counts(table)}",
        f"test     loss {metrics.eval_loss:.3f}, perplexity {metrics.perplexity:.1f}, "
        f"{metrics.bits_per_byte:.3f} bits per byte{base}",
        f"speed    {metrics.tokens_per_second:,.0f} tokens/s, {metrics.train_seconds:.1f} s",
        *(f"sample   {sample.text}" for sample in trained.samples),
        *([f"tracked  {trained.tracking.wandb_url}"] if trained.tracking.wandb_url else []),
        *([f"report   {trained.tracking.report_url}"] if trained.tracking.report_url else []),
        *([f"copy     {trained.hub.published.url}"] if trained.hub and trained.hub.published else []),
        f"model    {trained.model.uri}",
    ]
    return "\n".join(lines)


def _format_counts(table: DataTable) -> str:
    left_out = ("missing", *DataTable.LEFT_OUT)
    found = (f"{getattr(table, name)} {name.replace('_', ' ')}" for name in left_out if getattr(table, name))
    drops = (f"{getattr(table, name)} {name}" for name in DataTable.DROPS)
    held = () if table.claimed is None else (f"{table.claimed} claimed",)
    return ", ".join((*held, *found, f"{table.downloaded} downloaded", *drops, f"{table.kept} kept"))
