"""Values of the progress endpoint, which needs a certificate from somewhere."""

from typing import Annotated

from pydantic import Field

from tweetbot_contract.spec.parts import Part


class IssuerRef(Part):
    """Who signs."""

    name: Annotated[str, Field(description="Name of the Issuer.")] = ""
    kind: Annotated[str, Field(description="Issuer or ClusterIssuer.")] = "Issuer"
    group: Annotated[str, Field(description="API group of the issuer.")] = "cert-manager.io"


class CertManager(Part):
    """A certificate by cert-manager."""

    enabled: Annotated[bool, Field(description="Ask for one. The issuer must hand out its own certificate, too.")] = (
        False
    )
    issuer_ref: Annotated[IssuerRef, Field(description="Who signs.")] = IssuerRef()
    duration: Annotated[str, Field(description="How long a certificate is good.")] = "2160h"
    renew_before: Annotated[str, Field(description="How long before its end the next one comes.")] = "720h"


class Progress(Part):
    """On with one of the two certificates."""

    existing_secret: Annotated[
        str, Field(description="Secret with tls.crt, tls.key and ca.crt for <release>-progress.<namespace>.svc.")
    ] = ""
    ca_key: Annotated[
        str, Field(description="Key with the certificates that trainers trust; empty: those of their image.")
    ] = "ca.crt"
    cert_manager: Annotated[CertManager, Field(description="A certificate by cert-manager.")] = CertManager()
    port: Annotated[int, Field(ge=1024, le=65535, description="TCP port of the endpoint.")] = 8443
