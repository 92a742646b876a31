"""Commands that act: on a TweetBot, on a file, or by a Pod of their own."""

from tweetbot_kubectl.commands.acting.doctor import DOCTOR
from tweetbot_kubectl.commands.acting.drafts import DRAFTS
from tweetbot_kubectl.commands.acting.forget import FORGET
from tweetbot_kubectl.commands.acting.init import INIT
from tweetbot_kubectl.commands.acting.publish import PUBLISH
from tweetbot_kubectl.commands.acting.steer import PIN, RESUME, RETRAIN, SUSPEND, UNPIN
from tweetbot_kubectl.commands.acting.try_bot import TRY
from tweetbot_kubectl.commands.command import Command

ACTING: tuple[Command, ...] = (INIT, TRY, DRAFTS, RETRAIN, SUSPEND, RESUME, PIN, UNPIN, PUBLISH, FORGET, DOCTOR)
