"""loss.png: training and validation loss, and the loss of the untrained base."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from tweetbot_trainer.learning.training.metrics import LogEntry
from tweetbot_trainer.publishing.report.text_drawing import FAINT, GRID, INK, MUTED, TEAL, VERMILION

#: 1200 x 675 pixels.
INCHES, DPI = (8.0, 4.5), 150
#: Share of the steps over which the training loss is smoothed.
SMOOTHING = 0.04


def render_loss_plot(
    entries: Sequence[LogEntry], *, handle: str, best_epoch: int, base_loss: float | None = None
) -> bytes:
    """Return the plot as a PNG: loss in nats per token over epochs."""
    figure = Figure(figsize=INCHES, dpi=DPI, facecolor="white", layout=ConstrainedLayoutEngine(w_pad=0.18, h_pad=0.18))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw_training(axes, [entry for entry in entries if entry.train_loss is not None])
    _draw_validation(axes, [entry for entry in entries if entry.eval_loss is not None], best_epoch)
    if base_loss is not None:
        axes.axhline(base_loss, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.4, label="base on the test posts")
    _style_axes(axes, handle)
    file = BytesIO()
    figure.savefig(file, format="png", metadata={"Software": "tweetbot-trainer", "Title": f"Loss of @{handle}"})
    return file.getvalue()


def smooth(values: Sequence[float]) -> list[float]:
    """Return a moving average: each value with its neighbours within half the smoothing span."""
    reach = int(len(values) * SMOOTHING / 2)
    windows = (values[max(0, index - reach) : index + reach + 1] for index in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def _draw_training(axes: Any, entries: Sequence[LogEntry]) -> None:
    epochs = [entry.epoch for entry in entries]
    losses = [entry.train_loss or 0.0 for entry in entries]
    axes.plot(epochs, losses, color=FAINT, linewidth=1.0)
    axes.plot(epochs, smooth(losses), color=TEAL, linewidth=2.2, label="training")


def _draw_validation(axes: Any, entries: Sequence[LogEntry], best_epoch: int) -> None:
    epochs = [entry.epoch for entry in entries]
    losses = [entry.eval_loss or 0.0 for entry in entries]
    style = {"color": VERMILION, "clip_on": False, "marker": "o"}
    axes.plot(epochs, losses, **style, linewidth=2.0, markersize=6, label="validation")
    middle = max(epochs, default=0) / 2
    for epoch, loss in zip(epochs, losses, strict=True):
        if epoch == best_epoch:
            axes.plot([epoch], [loss], **style, linestyle="", markersize=13, markerfacecolor="none")
            left = epoch < middle
            axes.annotate(
                f"published: {loss:.3f}",
                (epoch, loss),
                xytext=(12 if left else -12, 26),
                textcoords="offset points",
                ha="left" if left else "right",
                color=VERMILION,
                fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 2},
                arrowprops={"arrowstyle": "-", "color": VERMILION, "linewidth": 1.0, "shrinkB": 8},
            )


def _style_axes(axes: Any, handle: str) -> None:
    title = {"loc": "left", "color": INK, "fontsize": 15, "fontweight": "bold", "pad": 14, "parse_math": False}
    axes.set_title(f"Loss of @{handle}", **title)
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
    axes.legend(facecolor="white", edgecolor="none", framealpha=0.9, labelcolor=INK, loc="lower left")
