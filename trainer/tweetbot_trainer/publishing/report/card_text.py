"""What everybody reads of a card: who it is, five posts, how to try it. Each function returns blocks of Markdown."""

import shlex

from tweetbot_contract.result import Sample
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.publishing.report.badges import COPIES, build_badges
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.card_license import describe_license
from tweetbot_trainer.publishing.report.drawing.fonts import find_missing
from tweetbot_trainer.publishing.report.markdown import (
    escape_inline,
    format_block,
    format_code,
    format_image,
    format_link,
)

HUGGINGTWEETS = "https://github.com/borisdayma/huggingtweets"
GPT2_PAPER = "https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf"
RELATIONS = {
    "Unspecified": "The maker of this bot did not state how it relates to the person behind {handle}.",
    "Self": "The owner of {handle} made this bot from their own posts.",
    "Consented": "The owner of {handle} agreed to this bot.",
    "Fictional": "{handle} is a fictional account: nobody real is imitated.",
    "Parody": "This bot is a parody. The person behind {handle} neither made nor endorses it.",
}
NOTEBOOK = "notebooks/make-your-bot.ipynb"
#: The posts at the top of the card; the others are among the figures.
FIRST_SAMPLES = 5


def render_header(card: CardData) -> list[str]:
    """Return the accounts' pictures, the title and the badges."""
    title = f"# 🤖 {escape_inline(card.name)}: an AI {'cyborg' if len(card.account_names) > 1 else 'bot'}"
    pictures = " ".join(format_image(f"Picture of {name}", file) for file, name in card.picture_names.items())
    badges = format_image(", ".join(badge.text for badge in build_badges(card)), "badges.svg")
    return [pictures, title, badges] if pictures else [title, badges]


def render_notice(card: CardData) -> list[str]:
    """Return what nobody may miss: a machine writes this, whom it imitates, with whose consent, and if it copies."""
    handle = escape_inline(f"@{card.handle}")
    consent = f"On record: {escape_inline(card.subject.consent_ref)}." if card.subject.consent_ref else ""
    relation = " ".join(filter(None, (_describe_relation(card), _name_others(card), consent)))
    return [
        f"> **AI-generated imitation of {handle}.** A machine writes every word of this model's output; "
        f"{escape_inline(card.name)} wrote none of it.\n>\n> {relation}{_warn_of_copies(card)}"
        f"{_warn_of_gates(card)}",
        f"It learned from {card.table.kept:,} posts and writes new ones. [Try it](#try-it) · "
        "[Make your own bot](#make-your-own-bot) · [How well it does](#how-it-was-made-and-how-well-it-does)",
    ]


def _describe_relation(card: CardData) -> str:
    """Return how the person relates to the bot, unless the sources contradict it."""
    if card.contradictions and card.contradictions.relation:
        return ""
    return RELATIONS[card.subject.relation].format(handle=escape_inline(f"@{card.subject.handle}"))


def _name_others(card: CardData) -> str:
    others = card.contradictions.others if card.contradictions else ()
    names = " and ".join(escape_inline(f"@{handle}") for handle in others)
    return f"The posts come from the account{'s' if len(others) > 1 else ''} {names}." if names else ""


def _warn_of_copies(card: CardData) -> str:
    rate = card.metrics.verbatim_rate or 0
    if rate <= COPIES:
        return ""
    return f"\n>\n> **It copies.** {rate:.0%} of what it writes repeats 50 characters or more of a training post."


def _warn_of_gates(card: CardData) -> str:
    missed = escape_inline("; ".join(card.missed_gates))
    return f"\n>\n> **Look at its samples before you rely on it:** {missed}." if missed else ""


def render_first_samples(card: CardData) -> list[str]:
    """Return five texts of the model, as a picture and as text."""
    label = f"Posts by the model, in the style of {card.name}"
    if not card.samples:
        return [format_image(label, "predictions.png")]
    shown = card.first_samples[:FIRST_SAMPLES]
    return [
        "## What it writes",
        format_image(f"{label}: the texts below", "predictions.png"),
        format_samples(shown),
        *_report_missing(shown),
        f"Written by the model (AI-generated), {_describe_edits(card)}. Texts that copy a training post were left out.",
    ]


def _describe_edits(card: CardData) -> str:
    if card.samples_cut == 0:
        return "unedited and in the order of writing"
    many = "one that was" if card.samples_cut == 1 else f"{card.samples_cut} that were"
    return f"in the order of writing; {many} longer than a post end where it would, in …"


def _report_missing(samples: tuple[Sample, ...]) -> list[str]:
    """Return that the picture lacks something, if a text has a character that no font of ours has."""
    missing = {sign for sample in samples for sign in find_missing(sample.text)}
    return (
        [f"The picture lacks {', '.join(map(escape_inline, sorted(missing)))}: no font here has it."] if missing else []
    )


def format_samples(samples: tuple[Sample, ...]) -> str:
    """Return a list of texts."""
    return "\n".join(f"- {escape_inline(sample.text)}" for sample in samples)


def render_how_to_use(card: CardData) -> list[str]:
    """Return commands that work when pasted."""
    prompt = card.prompts[0]
    python = (
        "from transformers import pipeline\n\n"
        'generator = pipeline("text-generation", model="model")\n'
        f"for post in generator({prompt!r}, num_return_sequences=5):\n"
        '    print(post["generated_text"])'
    )
    command = f"tweetbot-trainer generate --model model --prompt {shlex.quote(prompt)} -n 5 --seed 42"
    return [
        "## Try it",
        *_render_download(card, card.model_uri, "model"),
        "Load it from the directory `model`:",
        format_block(python, "python"),
        "The end mark is put before the prompt automatically, and `generation_config.json` holds the sampling values. "
        "Or on the command line:",
        format_block(command, "sh"),
    ]


def _render_download(card: CardData, uri: str, folder: str) -> list[str]:
    """Return the command that copies a folder of the bucket; nothing if the model lies in no bucket."""
    if not uri.startswith("s3:"):
        return []
    output = card.output or S3Output(uri=uri)
    options = {"--endpoint-url": output.endpoint, "--region": output.region}
    given = [word for name, value in options.items() if value for word in (name, value)]
    commands = [shlex.join(["aws", "s3", "cp", "--recursive", uri, folder, *given])]
    if output.addressing_style != "Auto":
        style = ["aws", "configure", "set", "default.s3.addressing_style", output.addressing_style.lower()]
        commands = [shlex.join(style), *commands]
    return [
        f"Download it, with keys of the bucket, into the directory `{folder}`:",
        format_block("\n".join(commands), "sh"),
    ]


def render_own_bot(card: CardData) -> list[str]:
    """Return how somebody else gets a bot of their own."""
    manifest = (
        "apiVersion: tweetbot.dev/v1alpha1\n"
        "kind: TweetBot\n"
        "metadata: {name: my-bot}\n"
        "spec:\n"
        "  subject: {handle: my_handle, relation: Self}\n"
        "  sources:\n"
        "  - archive: {uri: s3://my-bucket/my-x-archive.zip}\n"
        "  output: {s3: {uri: s3://my-bucket/models, credentialsSecret: {name: s3}}}"
    )
    return [
        "## Make your own bot",
        f"This one was made with {escape_inline(card.made_by)}, which turns one person's posts into a fine-tuned GPT-2 "
        "on Kubernetes. Have your posts, a bucket and this manifest, with your names in it, and run "
        f"`kubectl apply -f my-bot.yaml`. The idea comes from {format_link('huggingtweets', HUGGINGTWEETS)}.",
        format_block(manifest, "yaml"),
        f"Without Kubernetes, {_name_notebook(card.repository)} makes one in Colab or Jupyter.",
    ]


def _name_notebook(repository: str | None) -> str:
    """Return a link to the notebook, or where it lies if the repository has no address."""
    if repository is None:
        return f"the notebook {format_code(NOTEBOOK)} in the program's repository"
    return format_link("the notebook", f"{repository}/blob/main/{NOTEBOOK}")


def render_adapter_usage(card: CardData) -> list[str]:
    """Return the commands that load the adapter on its base."""
    hub_name = card.base.hub_name
    base = f'"{hub_name}", revision="{card.base.digest}"' if hub_name else '"base"'
    python = (
        "from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM\n\n"
        f"base = AutoModelForCausalLM.from_pretrained({base})\n"
        'model = PeftModel.from_pretrained(base, "adapter")'
    )
    where = "" if hub_name else ", and its base from the directory `base`"
    return [
        *_render_download(card, card.adapter_uri, "adapter"),
        f"Load it from the directory `adapter`{where}:",
        format_block(python, "python"),
    ]


def render_limitations(card: CardData) -> list[str]:
    """Return what the model cannot do and must not be used for."""
    inherited = (
        "It was trained from random weights, so it knows no more of the language than these posts show."
        if card.base.kind == "scratch"
        else f"It inherits the limits and biases of its base ({_link_family(card)}), and adds those of the account."
    )
    handle = escape_inline(f"@{card.handle}")
    return [
        "## Limitations and bias",
        f"- {inherited}\n"
        "- What it writes is invented. It may be false or offensive, or repeat a post word for word.\n"
        f"- It does not speak for {handle}. Never present its output as something the person said, "
        "and never use it against anyone who did not agree to be imitated.\n"
        "- Label every text of it that you publish as AI-generated.",
    ]


def _link_family(card: CardData) -> str:
    """Link to what describes the base's limits: GPT-2's paper, or the page of another base."""
    base = card.base
    page = GPT2_PAPER if base.family_name == "GPT-2" else base.hub_page
    return format_link(base.family_name, page) if page else base.family_name


def render_about(card: CardData) -> list[str]:
    """Return under which licence the model is, who made it, and where to read on."""
    links = {
        "The run on Weights & Biases": card.tracking_url,
        "The report on all versions": card.report_url,
        "The base model": card.base.hub_page,
        "huggingtweets by Boris Dayma": HUGGINGTWEETS,
    }
    return [
        "## License",
        describe_license(card),
        "## About",
        f"{format_code(card.model_name)} was made by {escape_inline(card.made_by)}. The version's `MANIFEST.json`, in "
        "the bucket beside this directory, lists every file with its hash, and what it was made from.",
        "\n".join(f"- {format_link(label, address)}" for label, address in links.items() if address),
    ]
