"""Commands that only read."""

from tweetbot_kubectl.commands.command import Command
from tweetbot_kubectl.commands.reading.completion import COMPLETION
from tweetbot_kubectl.commands.reading.list import LIST
from tweetbot_kubectl.commands.reading.logs import LOGS
from tweetbot_kubectl.commands.reading.open import OPEN
from tweetbot_kubectl.commands.reading.plan import PLAN
from tweetbot_kubectl.commands.reading.samples import SAMPLES
from tweetbot_kubectl.commands.reading.status import STATUS
from tweetbot_kubectl.commands.reading.versions import COMPARE, VERSIONS

READING: tuple[Command, ...] = (LIST, STATUS, PLAN, LOGS, VERSIONS, COMPARE, SAMPLES, OPEN, COMPLETION)
