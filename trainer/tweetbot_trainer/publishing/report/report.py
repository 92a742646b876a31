"""Write what people and machines read about a model beside it."""

import json
from pathlib import Path

from tweetbot_trainer.publishing.registry.manifest import ADAPTER_FOLDER, MODEL_FOLDER, REPORT_FOLDER
from tweetbot_trainer.publishing.report.badges import badges_of, badges_svg
from tweetbot_trainer.publishing.report.card import render_card
from tweetbot_trainer.publishing.report.card_adapter import render_adapter_card
from tweetbot_trainer.publishing.report.card_facts import CardFacts
from tweetbot_trainer.publishing.report.json_files import evaluation_document, json_lines, sample_records
from tweetbot_trainer.publishing.report.loss_plot import loss_png
from tweetbot_trainer.publishing.report.predictions_picture import (
    ALONE,
    AMONG_OTHERS,
    Subject,
    predictions_png,
    round_png,
)

#: The hook of the training has written metrics.jsonl, line by line.
METRICS_FILE = "metrics.jsonl"


def write_report(facts: CardFacts, folder: Path, *, base_loss: float | None) -> None:
    """Write the card into the model's folder, an adapter's into its own, and everything else into the report's.

    `base_loss` is the untrained base's on the test posts, in nats a token, for the plot.
    """
    model, report = folder / MODEL_FOLDER, folder / REPORT_FOLDER
    report.mkdir(parents=True, exist_ok=True)
    (model / "README.md").write_text(render_card(facts), encoding="utf-8")
    if facts.values.lora:
        (folder / ADAPTER_FOLDER / "README.md").write_text(render_adapter_card(facts), encoding="utf-8")
    evaluation = json.dumps(evaluation_document(facts), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    (report / "evaluation.json").write_text(evaluation, encoding="utf-8")
    samples = json_lines(sample_records(facts.samples, facts.model_name))
    (report / "samples.jsonl").write_text(samples, encoding="utf-8")
    (report / "loss.png").write_bytes(_loss_plot(facts, base_loss))
    (report / "badges.svg").write_text(badges_svg(badges_of(facts)), encoding="utf-8")
    side = ALONE if len(facts.pictures) == 1 else AMONG_OTHERS
    for name, picture in facts.pictures.items():
        (report / name).write_bytes(round_png(picture, side))
    subject = Subject(facts.name, facts.subject.handle, facts.model_name, tuple(facts.pictures.values()))
    (report / "predictions.png").write_bytes(predictions_png(subject, facts.samples))


def _loss_plot(facts: CardFacts, base_loss: float | None) -> bytes:
    outcome = facts.outcome
    return loss_png(outcome.rows, handle=facts.subject.handle, best_epoch=outcome.best_epoch, base_loss=base_loss)
