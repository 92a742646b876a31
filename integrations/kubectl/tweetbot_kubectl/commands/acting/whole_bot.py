"""A TweetBot with its spec, as commands that act on it need it."""

from tweetbot_contract.manifest import InvalidManifest, TweetBot, parse
from tweetbot_kubectl.cluster.requests import Document
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.failures import CommandFailed


def get_whole_bot(session: Session, name: str) -> tuple[Document, TweetBot]:
    """Return a TweetBot as the API server has it, and parsed. Raises NotFound; CommandFailed for an invalid spec."""
    document = session.cluster.get_bot_document(session.namespace, name)
    try:
        return document, parse(document, stored=True)
    except InvalidManifest as fault:
        raise CommandFailed(f'TweetBot "{name}" has an invalid spec: {fault}') from None
