"""`python -m tweetbot_chart.plain HELM`: render the chart with its defaults, for use without Helm."""

import subprocess
import sys
from pathlib import Path

from tweetbot_chart.generate import CHART, PLAIN, ROOT

FILE = PLAIN / "operator.yaml"
_NOTE = "# Rendered from charts/tweetbot-operator by `make kustomize`: edit the chart, not this file.\n"


def render_manifests(helm: Path, chart: Path = ROOT / CHART) -> str:
    """Return a chart's objects as plain YAML, without the CRD, which has its own file, and without helm's test."""
    command = [str(helm), "template", "tweetbot-operator", str(chart), "--namespace", "tweetbot-system"]
    options = ["--kube-version", "1.35.0", "--set", "crds.enabled=false,tests.enabled=false"]
    done = subprocess.run(command + options, capture_output=True, text=True, check=True)
    return _NOTE + done.stdout.replace("app.kubernetes.io/managed-by: Helm", "app.kubernetes.io/managed-by: kustomize")


def main() -> None:
    """Write the file, rendered by the helm binary given on the command line."""
    (ROOT / FILE).write_text(render_manifests(Path(sys.argv[1])), encoding="utf-8")


if __name__ == "__main__":
    main()
