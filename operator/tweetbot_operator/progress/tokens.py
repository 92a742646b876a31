"""Who holds a token: verified by the cluster's own public keys, or by asking the API server where it shows none.

The token is the projected one of the Pod's service account (KEP-1205), made for this run alone by its audience; the Pod
it is bound to stands in its claims. The API server itself refuses it, so a trainer gains nothing by holding it.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jwt

from tweetbot_operator.client.errors import ApiError, Unavailable
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.progress.authorize import Bearer
from tweetbot_operator.progress.errors import NotAuthenticated, NotNow
from tweetbot_operator.telemetry.logs import with_fields

LOG = logging.getLogger(__name__)
#: What API servers sign with; `none` and shared secrets are not among them.
_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")
#: Seconds between two looks for keys; they change when the cluster's key is rotated.
_LOOK_AGAIN = 60.0
#: Seconds that an answer of the API server about a token holds.
_REVIEW_HOLDS = 60.0
_REVIEWS_AT_ONCE, _REVIEWS_KEPT = 4, 4096
_POD_UID = "authentication.kubernetes.io/pod-uid"
_ACCOUNT = "system:serviceaccount:"


class KeyDoor(Protocol):
    """What the API server says about its tokens. Every method raises ApiError."""

    async def signing_keys(self) -> tuple[str, dict[str, Any]]:
        """Return the issuer's name and its JSON Web Key Set."""

    async def review(self, token: str, audience: str) -> Mapping[str, Any]:
        """Return the status of a TokenReview."""


class Tokens:
    """Verifies tokens."""

    def __init__(self, door: KeyDoor, clock: Callable[[], float]) -> None:
        """`clock` is steady, in seconds."""
        self._door, self._clock = door, clock
        self._issuer = ""
        self._keys: dict[str, jwt.PyJWK] = {}
        self._looked_at: float | None = None
        self._looking = asyncio.Lock()
        self._reviews: OrderedDict[str, tuple[float, Bearer]] = OrderedDict()
        self._asking = asyncio.Semaphore(_REVIEWS_AT_ONCE)

    async def bearer(self, token: str, audience: str) -> Bearer:
        """Return the Pod that the token was issued to, for this audience. Raises NotAuthenticated, NotNow."""
        try:
            key_id = str(jwt.get_unverified_header(token).get("kid", ""))
        except jwt.InvalidTokenError:
            raise NotAuthenticated("the bearer token is no JSON Web Token") from None
        key = await self._key(key_id)
        if key is not None:
            return _bearer_of(self._verified(token, key, audience))
        if self._keys:
            raise NotAuthenticated("the token is signed by a key that this cluster does not have")
        return await self._reviewed(token, audience)

    def _verified(self, token: str, key: jwt.PyJWK, audience: str) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(_ALGORITHMS),
                audience=audience,
                issuer=self._issuer,
                options={"require": ["exp", "aud", "iss"]},
            )
        except jwt.InvalidTokenError as fault:
            raise NotAuthenticated(f"the token is refused: {fault}") from None
        return claims

    async def _key(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key of this id; one that is not known may be new, so the keys are read again, but not at will."""
        async with self._looking:
            looked = self._looked_at is not None and self._clock() - self._looked_at < _LOOK_AGAIN
            if key_id not in self._keys and not looked:
                self._looked_at = self._clock()
                await self._look()
        return self._keys.get(key_id)

    async def _look(self) -> None:
        try:
            self._issuer, found = await self._door.signing_keys()
            keys = jwt.PyJWKSet.from_dict(found).keys
        except (ApiError, jwt.PyJWKError, jwt.PyJWKSetError) as fault:
            LOG.warning("the cluster's signing keys cannot be read", extra=with_fields(fault=str(fault)))
            return
        self._keys = {str(key.key_id): key for key in keys if key.key_id}

    async def _reviewed(self, token: str, audience: str) -> Bearer:
        known = hashlib.sha256(f"{audience}\0{token}".encode()).hexdigest()
        until, bearer = self._reviews.get(known, (0.0, None))
        if bearer is not None and self._clock() < until:
            return bearer
        bearer = await self._ask(token, audience)
        self._reviews[known] = (self._clock() + _REVIEW_HOLDS, bearer)
        self._reviews.move_to_end(known)
        if len(self._reviews) > _REVIEWS_KEPT:
            self._reviews.popitem(last=False)
        return bearer

    async def _ask(self, token: str, audience: str) -> Bearer:
        try:
            async with self._asking:
                status = await self._door.review(token, audience)
        except Unavailable:
            raise NotNow("the API server does not answer, so no token can be verified") from None
        except ApiError as fault:
            raise NotNow(f"the operator can neither read the cluster's keys nor ask about a token: {fault}") from None
        if not status.get("authenticated") or audience not in status.get("audiences", ()):
            raise NotAuthenticated("the API server refuses the token")
        user = status.get("user") or {}
        namespace, _, _ = str(user.get("username", "")).removeprefix(_ACCOUNT).partition(":")
        uids = (user.get("extra") or {}).get(_POD_UID) or ()
        if not uids:
            raise NotAuthenticated("the token is bound to no Pod")
        return Bearer(namespace, str(uids[0]))


def _bearer_of(claims: Mapping[str, Any]) -> Bearer:
    bound = claims.get("kubernetes.io")
    pod = bound.get("pod") if isinstance(bound, Mapping) else None
    if not isinstance(bound, Mapping) or not isinstance(pod, Mapping):
        raise NotAuthenticated("the token is bound to no Pod")
    return Bearer(str(bound.get("namespace", "")), str(pod.get("uid", "")))


#: The one representation that the API server has of its keys; asked for JSON it answers 406.
_KEY_SET = "application/jwk-set+json"


class ApiKeys:
    """Reads OIDC discovery through the API server; every service account may (system:service-account-issuer-discovery).

    The keys' URL in the discovery document is not followed: it may name a server outside the cluster.
    """

    def __init__(self, api: ApiRequests) -> None:
        self._api = api

    async def signing_keys(self) -> tuple[str, dict[str, Any]]:
        """Return the issuer's name and its JSON Web Key Set. Raises ApiError."""
        issuer = (await self._api.get("/.well-known/openid-configuration")).get("issuer")
        if not isinstance(issuer, str):
            raise Unavailable("the API server's OIDC discovery names no issuer")
        return issuer, await self._api.get("/openid/v1/jwks", accept=_KEY_SET)

    async def review(self, token: str, audience: str) -> Mapping[str, Any]:
        """Return the status of a TokenReview. Raises ApiError; Refused without the right to create one."""
        kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
        body = {**kind, "spec": {"token": token, "audiences": [audience]}}
        answer = await self._api.post("/apis/authentication.k8s.io/v1/tokenreviews", body)
        status = answer.get("status")
        return status if isinstance(status, Mapping) else {}
