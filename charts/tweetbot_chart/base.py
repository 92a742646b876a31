"""The base class of the chart's values, and the types of text in them: each wrong one is answered by what to write."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from tweetbot_contract.spec.parts import HTTP_URL, Part
from tweetbot_operator.settings import ADDRESS, NETWORK, Form

Object = dict[str, Any]
Objects = list[Object]


class ValueGroup(Part):
    """A group of values; the docstring under each field describes it in values.yaml, its schema and the README."""

    model_config = ConfigDict(use_attribute_docstrings=True)


_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SUBDOMAIN = "[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
_QUALIFIED = f"({_SUBDOMAIN}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?"
_PATH = "[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
_MATCHER = '[a-zA-Z_][a-zA-Z0-9_]*(=|!=|=~|!~)"[^"{}#]*"'
_AMOUNT = "[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2}|[numkMGTPE]|[KMGTPE]i)?"

_NAMESPACE = "a namespace's name: lower-case letters, digits and -, at most 63 characters"
_OBJECT = "a name: lower-case letters, digits, - and ."
Namespace = Annotated[str, Form(f"^{_LABEL}$", _NAMESPACE)]
NamespaceOrNone = Annotated[str, Form(f"^({_LABEL})?$", _NAMESPACE)]
Name = Annotated[str, Form(f"^{_SUBDOMAIN}$", _OBJECT)]
VariableName = Annotated[str, Form("^[A-Za-z_][A-Za-z0-9_.-]*$", "a variable's name such as HTTPS_PROXY")]
NameOrNone = Annotated[str, Form(f"^({_SUBDOMAIN})?$", _OBJECT)]
ShortNameOrNone = Annotated[
    str, Form("^([a-z]([a-z0-9-]{0,44}[a-z0-9])?)?$", "a name: a letter, then letters, digits and -, at most 46")
]
LabelKey = Annotated[str, Form(f"^{_QUALIFIED}$", "a key such as example.com/team or team")]
LabelValue = Annotated[
    str, Form("^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$", "a label's value: letters, digits, -, _ and .")
]
Labels = dict[LabelKey, LabelValue]
Annotations = dict[LabelKey, str]
ResourceName = Annotated[str, Form(f"^{_QUALIFIED}$", "a resource such as cpu or nvidia.com/gpu")]
Quantity = Annotated[
    str | int | float,
    Form(f"^{_AMOUNT}$", "an amount such as 500m, 2 or 16Gi", ("string", "number")),
]
Quantities = dict[ResourceName, Quantity]
Port = Annotated[int, Field(ge=1, le=65535)]
Cidr = Annotated[str, Form(f"^{NETWORK}$", "a network such as 10.0.0.0/8 or fd00::/8")]
IpAddress = Annotated[str, Form(f"^{ADDRESS}$", "an address such as 10.0.0.1 or fd00::1")]
HostName = Annotated[str, Form("^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})?$", "a host name such as s3.example.com")]
Duration = Annotated[str, Form("^([0-9]+(ms|[smhdwy]))+$", "a time such as 30s or 1m")]
UrlOrNone = Annotated[str, Form("^(https?://[^ ]+)?$", "an address such as https://example.com/runbooks")]
MatchersOrNone = Annotated[
    str, Form(f"^({_MATCHER}(, *{_MATCHER})*)?$", 'matchers of labels such as cluster="west", job="tweetbot"')
]
Url = Annotated[str, Form(HTTP_URL, "an address such as https://s3.example.com")]
S3Prefix = Annotated[str, Form("^s3://[a-z0-9{][^ ]*[^ /]$", "an address such as s3://models or s3://models/gulls")]
Repository = Annotated[str, Form(f"^{_PATH}$", "an image without tag or digest, e.g. registry.example.com/name")]
RegistryOrNone = Annotated[
    str, Form(f"^({_PATH})?$", "a registry such as registry.example.com:5000/mirror, without https://")
]
Tag = Annotated[str, Form("^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$", "a tag such as 0.1.0, without a colon")]
Digest = Annotated[str, Form("^(sha256:[0-9a-f]{64})?$", "a digest: sha256: and 64 hexadecimal digits")]
CountOrShare = Annotated[
    int | str, Form("^([0-9]+|(100|[1-9]?[0-9])%)$", "a number, or a share such as 50%", ("string", "integer"))
]
