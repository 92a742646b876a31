"""The API server as the judge of its own tokens: its public keys, and TokenReview where they are not shown."""

from collections.abc import Mapping
from typing import Any

from tweetbot_operator.api_requests import ApiRequests
from tweetbot_operator.errors import ClusterBusy

#: The one representation that the API server has of its keys; asked for JSON it answers 406.
_KEY_SET = "application/jwk-set+json"


class ApiKeys:
    """Reads OIDC discovery through the API server; every service account may (system:service-account-issuer-discovery).

    The keys' URL in the discovery document is not followed: it may name a server outside the cluster.
    """

    def __init__(self, api: ApiRequests) -> None:
        self._api = api

    async def signing_keys(self) -> tuple[str, dict[str, Any]]:
        """Return the issuer's name and its JSON Web Key Set. Raises ApiFault."""
        issuer = (await self._api.get("/.well-known/openid-configuration")).get("issuer")
        if not isinstance(issuer, str):
            raise ClusterBusy("the API server's OIDC discovery names no issuer")
        return issuer, await self._api.get("/openid/v1/jwks", accept=_KEY_SET)

    async def review(self, token: str, audience: str) -> Mapping[str, Any]:
        """Return the status of a TokenReview. Raises ApiFault; Refused without the right to create one."""
        kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
        body = {**kind, "spec": {"token": token, "audiences": [audience]}}
        answer = await self._api.post("/apis/authentication.k8s.io/v1/tokenreviews", body)
        status = answer.get("status")
        return status if isinstance(status, Mapping) else {}
