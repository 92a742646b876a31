"""The two endpoints of X that a timeline needs, through tweepy: waits are bounded and said, no token is in any log.

tweepy 4.17 logs the Authorization header at DEBUG; its own waiting on rate limits sends requests without end when the
reset time is missing or past (reference reliability-security, F6), so it is never asked to wait.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
import tweepy

from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_trainer.data.sources.http import Json, parse_object
from tweetbot_trainer.data.sources.wait_budget import WaitBudget
from tweetbot_trainer.data.sources.x_api.errors import format_reset, parse_problem
from tweetbot_trainer.data.sources.x_api.transport import HOST, BoundedAdapter
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.log import Log

#: What a limit without a usable reset time waits for; the shortest window of X is 15 minutes.
UNKNOWN_RESET_SECONDS = 60.0
POST_FIELDS = [
    "created_at",
    "edit_history_tweet_ids",
    "in_reply_to_user_id",
    "lang",
    "note_tweet",
    "referenced_tweets",
]
USER_FIELDS = ["profile_image_url", "public_metrics"]


@dataclass(frozen=True, slots=True)
class IdRange:
    """What is asked of a timeline: posts with ids above `since` and below `until`; 0 and None are no bounds."""

    since: int = 0
    until: int | None = None
    retweets: bool = True


@dataclass(frozen=True, slots=True)
class XFault:
    """What is wrong with X for now."""

    reason: Reason
    said: str


class XClient:
    """Asks X; temporary faults are waited out within a budget."""

    def __init__(self, token: str, *, base: str | None, wait_budget: WaitBudget, log: Log) -> None:
        for name in ("tweepy", "tweepy.client"):
            logging.getLogger(name).setLevel(logging.INFO)
        self._token, self._wait_budget, self._log = token, wait_budget, log
        self._client = tweepy.Client(token, return_type=dict)
        for scheme in ("https://", "http://"):
            self._client.session.mount(scheme, BoundedAdapter(_check_address(base or HOST)))
        self._client.session.max_redirects = 0  # the API has none, and one could lead where no endpoint may

    def build_failure(self, answer: Json, *, about: str) -> StageError:
        """Return what an answer of status 200 with errors and without data means."""
        return parse_problem(200, answer, about=about, secret=self._token)

    def get_user(self, handle: str) -> Json:
        """Return X's answer about an account. Raises StageFailed."""
        return self._ask(lambda: self._client.get_user(username=handle, user_fields=USER_FIELDS), about=f"@{handle}")

    def get_timeline_page(self, user_id: str, id_range: IdRange, *, size: int, token: str | None, about: str) -> Json:
        """Return one page of an account's posts, newest first; `token` comes from the page before. Raises StageFailed.

        Replies are always asked for: exclude=replies would cut the history to 800 posts.
        """
        return self._ask(
            lambda: self._client.get_users_tweets(
                user_id,
                max_results=size,
                pagination_token=token,
                since_id=id_range.since or None,
                until_id=id_range.until,
                exclude=None if id_range.retweets else "retweets",
                tweet_fields=POST_FIELDS,
            ),
            about=about,
        )

    def _ask(self, request: Callable[[], Any], *, about: str) -> Json:
        """Return the answer, waiting for X where waiting helps. Raises StageFailed."""
        while not isinstance(answer := self._attempt(request, about), dict):
            if answer and not self._wait_budget.pause():
                raise TemporaryError(
                    answer.reason, f"{answer.said}; it was asked again until the time for that was over"
                )
        self._wait_budget.reset_pause()
        return answer

    def _attempt(self, request: Callable[[], Any], about: str) -> Json | XFault | None:
        """Return the answer, or what is wrong with it for now, or None after the wait that X asked for."""
        try:
            answer = request()
        except tweepy.TooManyRequests as error:
            self._wait_for_reset(error, about)
            return None
        except tweepy.TwitterServerError as error:
            return self._log_fault(reasons.X_UNAVAILABLE, f"X answered {error.response.status_code}", about)
        except tweepy.HTTPException as error:
            raise self._parse_problem(error.response, about) from None
        except (requests.exceptions.ContentDecodingError, ValueError, RecursionError) as error:
            return self._log_fault(reasons.X_BAD_PAYLOAD, f"X's answer cannot be read ({type(error).__name__})", about)
        except requests.RequestException as error:  # no connection, or no end
            return self._log_fault(reasons.X_UNAVAILABLE, f"X gives no answer ({type(error).__name__})", about)
        if isinstance(answer, dict):
            return answer
        return self._log_fault(reasons.X_BAD_PAYLOAD, "X's answer is not an object", about)

    def _log_fault(self, reason: Reason, said: str, about: str) -> XFault:
        self._log.warning("x.fault", about=about, message=said)
        return XFault(reason, said)

    def _wait_for_reset(self, error: tweepy.TooManyRequests, about: str) -> None:
        """Wait until the limit's reset. Raises StageFailed when that is beyond the budget, or no rate limit."""
        problem = self._parse_problem(error.response, about)
        if problem.reason is not reasons.RATE_LIMITED:
            raise problem from None
        reset, now = error.reset_time, self._wait_budget.now()
        seconds = reset - now + 1 if reset is not None and reset > now else UNKNOWN_RESET_SECONDS

        def say(left: float) -> None:
            self._log.info("x.waiting", about=about, secondsLeft=round(left), until=format_reset(reset, now))

        if not self._wait_budget.wait(seconds, say=say):
            message = f"X allows no further request for {about} before {format_reset(reset, now)}"
            raise TemporaryError(reasons.RATE_LIMITED, message) from None

    def _parse_problem(self, response: requests.Response, about: str) -> StageError:
        return parse_problem(response.status_code, parse_object(response.content), about=about, secret=self._token)


def _check_address(base: str) -> str:
    """Return the address if requests can be sent to it. Raises SpecRefused."""
    try:
        requests.Request("GET", base).prepare()
    except ValueError as error:  # requests' own errors of addresses are some, too
        message = f"sources[].x.apiBaseURL {base} is no address ({type(error).__name__}); correct it"
        raise SpecRefused(reasons.SPEC_REFUSED, message) from None
    return base
