"""loss.png: training and validation loss, the published figure, and the loss of the untrained base."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from tweetbot_trainer.learning.training.metrics import LogEntry
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.drawing.text_drawing import FAINT, GRID, INK, MUTED, TEAL, VERMILION

#: 1200 x 675 pixels.
INCHES, DPI = (8.0, 4.5), 150
#: Share of the steps over which the training loss is smoothed.
SMOOTHING = 0.04


def render_loss_plot(card: CardData, *, base_loss: float | None = None) -> bytes:
    """Return the plot as a PNG: loss in nats per token over epochs; `base_loss` is the base's on the test posts."""
    figure = Figure(figsize=INCHES, dpi=DPI, facecolor="white", layout=ConstrainedLayoutEngine(w_pad=0.18, h_pad=0.18))
    FigureCanvasAgg(figure)
    axes, entries = figure.add_subplot(), card.outcome.log_history
    train, validation, test = (f"{posts:,}" for posts in card.parts)
    _draw_training(axes, [entry for entry in entries if entry.train_loss is not None], f"{train} training posts")
    watched = [entry for entry in entries if entry.eval_loss is not None]
    _draw_validation(axes, watched, f"{validation} validation posts", best_epoch=card.outcome.best_epoch)
    if base_loss is not None:
        label = f"the base, before training, on the {test} test posts"
        axes.axhline(base_loss, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.4, label=label)
    _draw_published(axes, card)
    _style_axes(axes, card)
    file = BytesIO()
    title = f"Loss of @{card.handle}"
    figure.savefig(file, format="png", metadata={"Software": "tweetbot-trainer", "Title": title})
    return file.getvalue()


def describe_loss(card: CardData) -> str:
    """Return the plot in words."""
    first, last = card.metrics.first_train_loss, card.metrics.train_loss
    return f"Loss in training: from {first:.2f} to {last:.2f} on the training posts. {_describe_published(card)}"


def _describe_published(card: CardData) -> str:
    epoch, loss, test = card.outcome.best_epoch, card.metrics.eval_loss, card.parts[2]
    return f"Published: the weights after epoch {epoch}, with a loss of {loss:.3f} on the {test:,} test posts"


def smooth(values: Sequence[float]) -> list[float]:
    """Return a moving average: each value with its neighbours within half the smoothing span."""
    reach = int(len(values) * SMOOTHING / 2)
    windows = (values[max(0, index - reach) : index + reach + 1] for index in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def _draw_training(axes: Any, entries: Sequence[LogEntry], label: str) -> None:
    epochs = [entry.epoch for entry in entries]
    losses = [entry.train_loss or 0.0 for entry in entries]
    axes.plot(epochs, losses, color=FAINT, linewidth=1.0)
    axes.plot(epochs, smooth(losses), color=TEAL, linewidth=2.2, label=label)


def _draw_validation(axes: Any, entries: Sequence[LogEntry], label: str, *, best_epoch: int) -> None:
    """Draw the validation loss, with a ring around the epoch whose weights are published."""
    style = {"color": VERMILION, "clip_on": False, "marker": "o"}
    epochs = [entry.epoch for entry in entries]
    losses = [entry.eval_loss or 0.0 for entry in entries]
    axes.plot(epochs, losses, **style, linewidth=2.0, markersize=6, label=label)
    for epoch, loss in zip(epochs, losses, strict=True):
        if epoch == best_epoch:
            axes.plot([epoch], [loss], **style, linestyle="", markersize=13, markerfacecolor="none")


def _draw_published(axes: Any, card: CardData) -> None:
    """Mark the one figure that status and card have: of the published weights, on the test posts."""
    style = {"color": INK, "marker": "D", "markersize": 7, "linestyle": "", "clip_on": False, "zorder": 5}
    label = f"published: {card.metrics.eval_loss:.3f} on the {card.parts[2]:,} test posts"
    axes.plot([card.outcome.best_epoch], [card.metrics.eval_loss], **style, label=label)


def _style_axes(axes: Any, card: CardData) -> None:
    title = {"loc": "left", "color": INK, "fontsize": 15, "fontweight": "bold", "pad": 26, "parse_math": False}
    axes.set_title(f"Loss of @{card.handle}", **title)
    axes.text(0, 1.025, _describe_published(card), transform=axes.transAxes, color=MUTED, fontsize=10.5)
    axes.set_xlabel("epoch", color=MUTED)
    axes.set_ylabel("nats per token", color=MUTED)
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.margins(x=0.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.legend(facecolor="white", edgecolor="none", framealpha=0.9, labelcolor=INK, loc="best", fontsize=9.5)
