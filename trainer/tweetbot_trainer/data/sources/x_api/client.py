"""The two endpoints of X that a timeline needs, by tweepy, with bounded waits and no token in any log.

tweepy 4.17 logs the Authorization header at DEBUG. Its own waiting for rate limits sends requests without end when the
reset time is missing or past (reference reliability-security, F6), so we wait ourselves.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
import tweepy

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.data.sources.http import check_address, parse_object
from tweetbot_trainer.data.sources.x_api.errors import format_reset, parse_problem
from tweetbot_trainer.data.sources.x_api.transport import HOST, BoundedAdapter
from tweetbot_trainer.runtime.certificates import find_server_fault
from tweetbot_trainer.runtime.errors import StageError, TemporaryError
from tweetbot_trainer.runtime.retry_budget import RetryBudget

#: The wait for a limit without a usable reset time. X's shortest window is 15 minutes.
UNKNOWN_RESET_SECONDS = 60.0
POST_FIELDS = ["created_at", "edit_history_tweet_ids", "in_reply_to_user_id", "lang", "note_tweet", "referenced_tweets"]
USER_FIELDS = ["profile_image_url", "public_metrics"]


@dataclass(frozen=True, slots=True)
class IdRange:
    """The posts to ask for: those with ids above `since` and below `until`; 0 and None are no bounds."""

    since: int = 0
    until: int | None = None
    retweets: bool = True

    def has(self, id: int) -> bool:
        """Tell whether a post's id lies in the range."""
        return self.since < id and (self.until is None or id < self.until)


class XClient:
    """Sends requests to X, again and again while faults are temporary and the budget lasts."""

    def __init__(self, token: str, *, base: str | None, retry_budget: RetryBudget) -> None:
        for name in ("tweepy", "tweepy.client"):
            logging.getLogger(name).setLevel(logging.INFO)
        self._token, self._server, self._retry_budget = token, base or HOST, retry_budget
        self._client = tweepy.Client(token, return_type=dict)
        address = check_address(self._server, "spec.sources[].x.apiBaseURL")
        for scheme in ("https://", "http://"):
            self._client.session.mount(scheme, BoundedAdapter(address))
        self._client.session.max_redirects = 0  # X sends none, and one could lead to a host that is not allowed

    def build_failure(self, answer: Json, *, about: str) -> StageError:
        """Return the error that an answer of status 200 with errors and without data means."""
        return parse_problem(200, answer, about=about, secret=self._token)

    def get_user(self, handle: str) -> Json:
        """Look up an account. Raises StageError."""
        return self._ask(lambda: self._client.get_user(username=handle, user_fields=USER_FIELDS), about=f"@{handle}")

    def get_timeline_page(self, user_id: str, id_range: IdRange, *, size: int, token: str | None, about: str) -> Json:
        """Fetch a page of an account's posts, newest first; `token` comes from the page before. Raises StageError.

        Replies are always included: exclude=replies would cut the history to 800 posts.
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
        silence = TemporaryError(reasons.X_UNAVAILABLE, f"X has not answered a request for {about} yet")
        return self._retry_budget.call(lambda: self._attempt(request, about), silence)

    def _attempt(self, request: Callable[[], Any], about: str) -> Json:
        """Send one request. Raises StageError: TemporaryError if asking again may help."""
        try:
            answer = request()
        except tweepy.TooManyRequests as error:
            raise self._build_rate_limit(error, about) from None
        except tweepy.HTTPException as error:
            raise self._parse_problem(error.response, about) from None
        except (requests.exceptions.ContentDecodingError, ValueError, RecursionError) as error:
            message = f"X's answer for {about} cannot be read ({type(error).__name__})"
            raise TemporaryError(reasons.X_BAD_PAYLOAD, message) from None
        except requests.RequestException as error:
            if fault := find_server_fault(error, self._server):
                raise fault from None
            message = f"X does not answer for {about} ({type(error).__name__})"
            raise TemporaryError(reasons.X_UNAVAILABLE, message) from None
        if not isinstance(answer, dict):
            raise TemporaryError(reasons.X_BAD_PAYLOAD, f"X's answer for {about} is not an object")
        return answer

    def _build_rate_limit(self, error: tweepy.TooManyRequests, about: str) -> StageError:
        """Return what a 429 means: a limit that ends at its reset, unless X names another problem."""
        problem = self._parse_problem(error.response, about)
        if not isinstance(problem, TemporaryError):
            return problem
        reset, now = error.reset_time, self._retry_budget.now()
        seconds = reset - now + 1 if reset is not None and reset > now else UNKNOWN_RESET_SECONDS
        message = f"X allows no further request for {about} before {format_reset(reset, now)}"
        return TemporaryError(reasons.RATE_LIMITED, message, retry_after=seconds)

    def _parse_problem(self, response: requests.Response, about: str) -> StageError:
        return parse_problem(response.status_code, parse_object(response.content), about=about, secret=self._token)
