"""An API server's signing key and tokens: what `Tokens` asks for, with a switch for each fault."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tweetbot_operator.client.errors import ApiError

ISSUER = "https://kubernetes.default.svc"
_KEYS: dict[str, ec.EllipticCurvePrivateKey] = {}


def signing_key(key_id: str) -> ec.EllipticCurvePrivateKey:
    """Return the key of this id, the same each time."""
    return _KEYS.setdefault(key_id, ec.generate_private_key(ec.SECP256R1()))


def a_token(audience: str, pod_uid: str, *, key_id: str = "first", **changes: Any) -> str:
    """Return a token as the kubelet projects it; keywords replace claims, and None drops one."""
    namespace = changes.pop("namespace", "team-a")
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": [audience],
        "exp": int(time.time()) + 3600,
        "iat": int(time.time()),
        "sub": f"system:serviceaccount:{namespace}:default",
        "kubernetes.io": {"namespace": namespace, "pod": {"name": "gull-train-x", "uid": pod_uid}},
    } | changes
    stated = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(stated, signing_key(key_id), algorithm="ES256", headers={"kid": key_id})


@dataclass
class FakeKeys:
    """The API server's two ways of judging a token."""

    shown: list[str] = field(default_factory=lambda: ["first"])
    fault: ApiError | None = None
    """What asking for the keys raises."""
    verdict: Mapping[str, Any] | ApiError | None = None
    """What a TokenReview answers, or raises."""
    looks: int = 0
    reviews: int = 0

    async def signing_keys(self) -> tuple[str, dict[str, Any]]:
        """Return issuer and keys."""
        self.looks += 1
        if self.fault:
            raise self.fault
        keys = [jwt.algorithms.ECAlgorithm.to_jwk(signing_key(name).public_key(), as_dict=True) for name in self.shown]
        named = zip(self.shown, keys, strict=True)
        return ISSUER, {"keys": [{**key, "kid": name, "use": "sig", "alg": "ES256"} for name, key in named]}

    async def review(self, token: str, audience: str) -> Mapping[str, Any]:
        """Return the verdict."""
        self.reviews += 1
        if isinstance(self.verdict, ApiError):
            raise self.verdict
        return self.verdict or {"authenticated": False}
