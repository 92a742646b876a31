"""`kubectl tweetbot samples NAME`: what the served model wrote."""

import argparse
from dataclasses import dataclass

from tweetbot_contract.status import TweetBotStatus
from tweetbot_kubectl.commands.command import Command, Session, add_name
from tweetbot_kubectl.failures import ExitCode, require_model
from tweetbot_kubectl.output.blocks import Block, Heading, Text

#: Every place that shows what a model wrote says so.
DISCLOSURE = "AI-generated"


@dataclass(frozen=True, slots=True)
class PromptSamples:
    """What a model wrote for one prompt."""

    prompt: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelSamples:
    """The samples of the model that is served."""

    name: str
    model: str
    disclosure: str
    prompts: tuple[PromptSamples, ...]


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Print the samples of the served model."""
    bot = session.cluster.get_bot(session.namespace, arguments.name)
    samples = build_samples(bot.name, bot.status)
    session.output.show(samples, render_samples(samples))
    return ExitCode.DONE


def build_samples(name: str, status: TweetBotStatus) -> ModelSamples:
    """Return the samples of a status by their prompts. Raises NotFound without a model."""
    model = require_model(name, status.model if status.samples else None)
    prompts = dict.fromkeys(sample.prompt for sample in status.samples)
    grouped = (
        PromptSamples(prompt, tuple(sample.text for sample in status.samples if sample.prompt == prompt))
        for prompt in prompts
    )
    return ModelSamples(name, model.version, DISCLOSURE, tuple(grouped))


def render_samples(samples: ModelSamples) -> tuple[Block, ...]:
    """Return the samples, a heading for each prompt."""
    blocks: list[Block] = [Text(f"{samples.disclosure}, by model {samples.model}", "faint")]
    for each in samples.prompts:
        blocks += [Heading(each.prompt), *(Text(f"• {text}") for text in each.texts)]
    return tuple(blocks)


SAMPLES = Command("samples", "print what the served model wrote", run, add_name)
