"""A TweetBot's report at Weights & Biases: its versions side by side, their curves, samples and data tables.

Its panels show the runs that the project has at the moment, so it is made once and never written again: what people
add to it stays.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from tweetbot_contract.data_table import DataTable
from tweetbot_trainer.publishing.tracking.figures import NAMES

#: Seconds that one answer may take.
ANSWER_LIMIT = 8
#: The figures by which versions are compared, in the status's names.
_COMPARED = ("bitsPerByte", "baseBitsPerByte", "verbatimRate", "styleScore", "trainLoss", "reliability")
_COUNTS = ("claimed", "missing", "downloaded", *DataTable.DROPS, "kept")


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """Whose report it is (`bot` is namespace/name), and the project that holds it and the bot's runs."""

    bot: str
    handle: str
    entity: str
    project: str
    project_url: str

    @property
    def title(self) -> str:
        """The title that it is made with. People may change it."""
        return f"@{self.handle}"[:128]

    @property
    def description(self) -> str:
        """What it is found by: one bot has one report in a project."""
        return f"The TweetBot {self.bot}: its versions, their training, samples and posts."

    def build_url(self, report_id: str) -> str:
        """Return the address of the report with an id."""
        slug = re.sub(r"\W+", "-", self.title).strip("-")
        return f"{self.project_url}/reports/{quote(slug)}--{report_id.replace('=', '')}"


def connect(base_url: str, entity: str, api_key: str, proxy: str | None) -> Any:
    """Return the client for queries. Raises whatever the client does, as where the server does not answer."""
    import wandb

    proxies = {"_proxies": {"http": proxy, "https": proxy}} if proxy else {}
    return wandb.Api({"base_url": base_url, "entity": entity, **proxies}, timeout=ANSWER_LIMIT, api_key=api_key)


def ensure_report(api: Any, place: ReportPlace) -> str:
    """Return the address of the bot's report, which is made if the project has none. Raises as `connect` does."""
    known = find_report(api.reports(f"{place.entity}/{place.project}"), place)
    return place.build_url(known or _create_report(api, place))


def find_report(reports: Iterable[Any], place: ReportPlace) -> str | None:
    """Return the id of the bot's report among those of the project."""
    return next((str(one.id) for one in reports if (one.description or "").strip() == place.description), None)


def _create_report(api: Any, place: ReportPlace) -> str:
    from wandb_workspaces.reports.v2 import Report, interface

    report = Report(
        place.project, place.entity, place.title, place.description, blocks=_build_blocks(place), width="fluid"
    )
    interface._get_api = lambda: api  # it has no other way to be given a key than files and the environment
    api.projects = lambda _: [SimpleNamespace(name=place.project)]  # which exists; a list of all would name their users
    report.save()
    return str(report.id)


def _build_blocks(place: ReportPlace) -> list[Any]:
    from wandb_workspaces.reports import v2 as wr

    compared = [NAMES[name] for name in _COMPARED]
    trainings = _build_runset("Versions", place, "train", compared)
    losses = [NAMES["train_loss"], NAMES["eval_loss"]]
    bars = [wr.BarPlot(title=name, metrics=[name]) for name in compared[:-1]]
    curves = [wr.LinePlot(title=name, x="step", y=[name]) for name in losses]
    counts = [wr.BarPlot(title="posts", metrics=list(_COUNTS))]
    samples = [wr.WeavePanelSummaryTable(table_name="samples", layout=wr.Layout(w=24, h=12))]
    return [
        wr.P(f"Models that write like @{place.handle}, trained from the posts of the TweetBot {place.bot}."),
        wr.H1("Versions"),
        wr.PanelGrid(runsets=[trainings], panels=bars),
        wr.H1("Training"),
        wr.PanelGrid(runsets=[_build_runset("Trainings", place, "train", losses)], panels=curves),
        wr.H1("Samples"),
        wr.PanelGrid(runsets=[_build_runset("Samples", place, "train", [])], panels=samples),
        wr.H1("Posts"),
        wr.PanelGrid(runsets=[_build_runset("Datasets", place, "prepare", _COUNTS)], panels=counts),
    ]


def _build_runset(name: str, place: ReportPlace, job_type: str, columns: Iterable[str]) -> Any:
    """Return the bot's runs of one stage, the newest first, as a table with these columns of the summary."""
    from wandb_workspaces.reports import v2 as wr

    runs = f"Config('bot') = '{place.bot}' and Metric('JobType') = '{job_type}'"
    return wr.Runset(name=name, filters=runs, pinned_columns=[f"summary:{column}" for column in columns])
