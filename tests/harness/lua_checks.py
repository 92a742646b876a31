"""Argo CD's Lua as Argo CD runs it: Lua 5.1, the resource as `obj`, and no library that reaches the system."""

from pathlib import Path
from typing import Any

from lupa.lua51 import LuaRuntime, lua_type

FOLDER = Path(__file__).parents[2] / "integrations/argocd/resource_customizations/tweetbot.dev/TweetBot"
#: What Argo CD takes away (util/lua: only base, table, string, math and two functions of os are opened).
_TAKEN = "io, debug, package, require, dofile, loadfile, load = nil; os = {date = os.date, time = os.time}"


def run(script: Path, resource: dict[str, Any]) -> Any:
    """Return what the script returns for a resource, as plain values. Raises LuaError (lupa's)."""
    lua = LuaRuntime(register_eval=False, register_builtins=False)
    lua.execute(_TAKEN)
    lua.globals().obj = lua.table_from(resource, recursive=True)
    return _plain(lua.execute(script.read_text(encoding="utf-8")))


def health_of(resource: dict[str, Any]) -> tuple[str, str]:
    """Return the health that Argo CD shows, and its message."""
    health = run(FOLDER / "health.lua", resource)
    return health["status"], health.get("message", "")


def _plain(value: Any) -> Any:
    """An empty table is read as a map: our resources hold no empty lists that matter here."""
    if lua_type(value) != "table":
        return value
    keys = list(value.keys())
    if keys and all(isinstance(key, int) for key in keys):
        return [_plain(value[key]) for key in sorted(keys)]
    return {key: _plain(value[key]) for key in keys}
