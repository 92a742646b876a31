"""`python -m tweetbot_chart.generate [--check]`: write, or check, the chart's rendered and copied files."""

from pathlib import Path

import yaml

from tweetbot_chart import render
from tweetbot_chart.alerts import render_rules
from tweetbot_chart.job_form import build_job_form
from tweetbot_chart.settings_values import build_settings_type
from tweetbot_chart.tenant_values import Tenant
from tweetbot_contract.generate import class_crd, crd
from tweetbot_contract.generate.files import write_or_check

ROOT = Path(__file__).parents[2]
CHART = Path("charts/tweetbot-operator")
PLAIN = Path("kustomize/base")
INTEGRATIONS = ROOT / "integrations"
RULES = Path("integrations/prometheus/rules.yaml")
_ARGOCD = INTEGRATIONS / "argocd/resource_customizations/tweetbot.dev/TweetBot"
#: Files that the chart copies, as others use them without it: name in the chart → its source.
COPIES = {
    "dashboard.json": INTEGRATIONS / "grafana/dashboard.json",
    "argocd/health.lua": _ARGOCD / "health.lua",
    "argocd/discovery.lua": _ARGOCD / "actions/discovery.lua",
    "argocd/retrain.lua": _ARGOCD / "actions/retrain/action.lua",
    "argocd/suspend.lua": _ARGOCD / "actions/suspend/action.lua",
    "argocd/resume.lua": _ARGOCD / "actions/resume/action.lua",
}


def render_files() -> dict[Path, str]:
    """Return the content of each generated file by its path in the repository."""
    head = (Path(__file__).parent / "head.md").read_text(encoding="utf-8")
    rules = render_rules(ROOT / RULES)
    return {
        RULES: rules,
        CHART / "files/rules.yaml": rules,
        CHART / "values.yaml": render.render_values_yaml(),
        CHART / "values.schema.json": render.render_schema(),
        CHART / "README.md": f"<!-- {render.NOTE} -->\n{head}{render.render_table()}",
        CHART / "templates/crd.yaml": render_crd_template(),
        CHART / "files/defaults.yaml": f"# {render.NOTE}\n{render_defaults()}",
        PLAIN / "tweetbots.tweetbot.dev.yaml": crd.render(),
        PLAIN / "tweetbotclasses.tweetbot.dev.yaml": crd.render(class_crd.build_class_crd()),
        **{CHART / "files" / name: home.read_text(encoding="utf-8") for name, home in COPIES.items()},
    }


def render_crd_template() -> str:
    """Return the CRDs as a template, so that upgrading the chart upgrades them: Helm never upgrades crds/."""
    return "---\n".join(_render_definition(each) for each in (crd.build_crd(), class_crd.build_class_crd()))


def _render_definition(definition: crd.Schema) -> str:
    metadata, spec = definition.pop("metadata"), definition.pop("spec")
    body = yaml.safe_dump({"spec": spec}, sort_keys=False, width=120, allow_unicode=True)
    head = yaml.safe_dump(definition, sort_keys=False)
    keep = 'ternary (dict "helm.sh/resource-policy" "keep") (dict) .Values.crds.keep'
    arguments = f'"root" $ "name" "{metadata["name"]}" "annotations" (merge (dict) .Values.crds.annotations ({keep}))'
    return (
        f"{{{{- if .Values.crds.enabled }}}}\n# {render.NOTE}\n{head}metadata:\n"
        f'  {{{{- include "tweetbot.metadata" (dict {arguments}) | nindent 2 }}}}\n'
        + body.replace("{{", '{{ "{{" }}')
        + "{{- end }}\n"
    )


def render_defaults() -> str:
    """Return what templates need to know: a tenant's defaults, as Helm merges no lists; those of the settings, so that
    those at their default are left out; and the form of the operator's Jobs.
    """
    tenant = Tenant(namespace="any").model_dump(mode="json", by_alias=True, exclude={"namespace"})
    known = {"tenant": tenant, "settings": build_settings_type()().model_dump(mode="json", by_alias=True)}
    known["job"] = build_job_form()
    return yaml.safe_dump(known, sort_keys=False, width=120)


def main() -> None:
    """Write or check the files."""
    write_or_check(render_files())


if __name__ == "__main__":
    main()
