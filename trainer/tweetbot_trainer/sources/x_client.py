"""tweepy's client as we use it: another base URL, time limits, no token in logs, and answers in our own words.

tweepy 4.17 has the host as a literal, no timeout, and logs the Authorization header at DEBUG; its own waiting on
rate limits sends requests without end when the reset time is missing or past (reference reliability-security, F6).
"""

import logging
from collections.abc import Callable
from typing import Any

import requests
import requests.adapters
import requests.utils
import tweepy

from tweetbot_contract import reasons
from tweetbot_trainer.errors import SpecRefused, StageFailed, Temporary
from tweetbot_trainer.sources.patience import Patience
from tweetbot_trainer.sources.x_problems import printed_reset, problem_of

HOST = "https://api.twitter.com"
#: Seconds to connect, and between two bytes of an answer.
TIMEOUT = (10.0, 30.0)
#: What a limit without a usable reset time waits for; the shortest window of X is 15 minutes.
UNKNOWN_RESET_SECONDS = 60.0
RESET_HEADER = "x-rate-limit-reset"
POST_FIELDS = ["created_at", "lang", "referenced_tweets", "note_tweet", "in_reply_to_user_id"]

Json = dict[str, Any]


class Rebase(requests.adapters.HTTPAdapter):
    """Sends what tweepy addresses to HOST to another base URL, and sets a time limit where there is none."""

    def __init__(self, base: str, *, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._base, self._timeout = base.rstrip("/"), timeout
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request; the proxy is chosen for the address that it really goes to."""
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout
        if self._base != HOST and request.url and request.url.startswith(f"{HOST}/"):
            request.url = self._base + request.url.removeprefix(HOST)
            kwargs["proxies"] = requests.utils.get_environ_proxies(request.url)
        response = super().send(request, *args, **kwargs)
        if not _is_seconds(response.headers.get(RESET_HEADER, "")):
            response.headers.pop(RESET_HEADER, None)  # tweepy calls int() on it unguarded
        return response


class XClient:
    """The two endpoints that a timeline needs; temporary faults are waited out within a budget."""

    def __init__(self, token: str, *, base: str | None, patience: Patience) -> None:
        for name in ("tweepy", "tweepy.client"):
            logging.getLogger(name).setLevel(logging.INFO)
        self._token, self._patience = token, patience
        self._client = tweepy.Client(token, return_type=dict)
        for scheme in ("https://", "http://"):
            self._client.session.mount(scheme, Rebase(_usable(base or HOST)))
        self._client.session.max_redirects = 3

    def problem_in(self, answer: Json, *, about: str) -> StageFailed:
        """Return what an answer of status 200 with errors and without data means."""
        return problem_of(200, answer, about=about, secret=self._token)

    def user(self, handle: str) -> Json:
        """Return X's answer about an account. Raises StageFailed."""
        return self._ask(lambda: self._client.get_user(username=handle), about=f"@{handle}")

    def timeline(self, user_id: str, *, size: int, token: str | None, about: str) -> Json:
        """Return one page of an account's posts, newest first; `token` comes from the page before."""
        # exclude=replies would cut the history to 800 posts, exclude=retweets the data table
        return self._ask(
            lambda: self._client.get_users_tweets(
                user_id, max_results=size, pagination_token=token, tweet_fields=POST_FIELDS
            ),
            about=about,
        )

    def _ask(self, request: Callable[[], Any], *, about: str) -> Json:
        """Return the answer, waiting for X where waiting helps. Raises StageFailed."""
        while not isinstance(answer := self._attempt(request, about), dict):
            if answer and not self._patience.pause():
                raise Temporary(reasons.X_UNAVAILABLE, f"{answer}; it was asked again until the time for that was over")
        self._patience.answered()
        return answer

    def _attempt(self, request: Callable[[], Any], about: str) -> Json | str | None:
        """Return the answer, or what is wrong with it for now, or None after the wait that X asked for."""
        try:
            answer = request()
        except tweepy.TooManyRequests as error:
            self._wait_for_reset(error, about)
            return None
        except tweepy.TwitterServerError as error:
            return f"X answered {error.response.status_code}"
        except tweepy.HTTPException as error:
            raise self._problem(error.response, about) from None
        except requests.RequestException as error:  # no connection, no end, or no JSON: a proxy's page, perhaps
            return f"X gives no answer that can be read ({type(error).__name__})"
        except (AttributeError, TypeError, KeyError):  # tweepy reads the body of an error unguarded
            return "X's answer is not as documented"
        return answer if isinstance(answer, dict) else "X's answer is not an object"

    def _wait_for_reset(self, error: tweepy.TooManyRequests, about: str) -> None:
        """Wait until the limit's reset. Raises StageFailed when that is beyond the budget, or no rate limit."""
        problem = self._problem(error.response, about)
        if problem.reason is not reasons.RATE_LIMITED:
            raise problem from None
        reset, now = error.reset_time, self._patience.now()
        seconds = reset - now + 1 if reset is not None and reset > now else UNKNOWN_RESET_SECONDS
        if not self._patience.wait(seconds):
            message = f"X allows no further request for {about} before {printed_reset(reset, now)}"
            raise Temporary(reasons.RATE_LIMITED, message) from None

    def _problem(self, response: requests.Response, about: str) -> StageFailed:
        return problem_of(response.status_code, _body(response), about=about, secret=self._token)


def _body(response: requests.Response) -> Json:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _is_seconds(text: str) -> bool:
    """Tell whether a reset time is one: eleven digits reach the year 5138, more may reach beyond all calendars."""
    return text.isascii() and text.isdigit() and len(text) <= 11


def _usable(base: str) -> str:
    """Return the address if requests can be sent to it. Raises SpecRefused."""
    try:
        requests.Request("GET", base).prepare()
    except ValueError as error:  # requests' own errors of addresses are some, too
        message = f"sources[].x.apiBaseURL {base} is no address ({type(error).__name__}); correct it"
        raise SpecRefused(reasons.SPEC_REFUSED, message) from None
    return base
