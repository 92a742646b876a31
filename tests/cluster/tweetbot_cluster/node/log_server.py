"""The node's HTTPS endpoint, where `kubectl logs` and `port-forward` end: the API server asks, and nobody else may."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path

from aiohttp import web

from tweetbot_cluster.kubernetes.control_plane import KUBELET_CLIENT
from tweetbot_cluster.node.port_forward import forward_ports
from tweetbot_cluster.state import LOOPBACK

KNOWN = {"follow", "tailLines", "limitBytes"}
BLOCK = 64 * 1024
FOLLOW_SECONDS = 0.25  # how often a followed file is looked at; Python's library cannot watch files
PODS = web.AppKey("pods", Path)
LOGS = web.AppKey("logs", Path)


async def serve_logs(certificates: Path, port: int, *, pods: Path, logs: Path) -> web.AppRunner:
    """Start the endpoint with the cluster authority's certificates on both sides."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificates / "kubelet.crt", certificates / "kubelet.key")
    application = web.Application(middlewares=[only_the_api_server])
    application[PODS], application[LOGS] = pods, logs
    application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", container_logs)
    application.router.add_post("/portForward/{namespace}/{pod}", forward_ports)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port, ssl_context=context).start()
    return runner


@web.middleware
async def only_the_api_server(request: web.Request, handler: web.Handler) -> web.StreamResponse:  # type: ignore[name-defined]
    """Refuse clients that the authority knows by another name."""
    certificate = request.transport.get_extra_info("peercert") if request.transport else None
    names = {value for part in (certificate or {}).get("subject", ()) for key, value in part if key == "commonName"}
    if KUBELET_CLIENT not in names:
        raise web.HTTPForbidden(text="only the API server may ask")
    return await handler(request)  # type: ignore[no-any-return]


async def container_logs(request: web.Request) -> web.StreamResponse:
    """Answer with a container's log, its last lines, or what is still to come as well."""
    unknown = {key for key, value in request.query.items() if value not in ("", "false", "0")} - KNOWN
    if unknown:
        raise web.HTTPBadRequest(text=f"the process node does not know the log option {', '.join(sorted(unknown))}")
    file = _log_file(request)
    answer = web.StreamResponse()
    answer.content_type = "text/plain"
    await answer.prepare(request)
    limit = int(request.query.get("limitBytes", -1))
    with file.open("rb") as log:
        log.seek(start_of_tail(log.fileno(), int(request.query.get("tailLines", -1))))
        while True:
            ended = not request.query.get("follow") or _has_ended(request, file)  # first, so that nothing is missed
            while block := log.read(BLOCK if limit < 0 else min(BLOCK, limit)):
                limit -= len(block) if limit > 0 else 0
                await answer.write(block)
            if ended or limit == 0:
                return answer
            await asyncio.sleep(FOLLOW_SECONDS)


def start_of_tail(descriptor: int, lines: int) -> int:
    """Return the offset where the last `lines` lines begin; 0 for a negative number, which means all."""
    end = os.fstat(descriptor).st_size
    if lines < 0:
        return 0
    if lines == 0:
        return end
    position, found = end, 0
    while position:
        size = min(BLOCK, position)
        block = os.pread(descriptor, size, position - size)
        for index in range(size - 1, -1, -1):
            offset = position - size + index
            if block[index] == 0x0A and offset != end - 1:
                found += 1
                if found == lines:
                    return offset + 1
        position -= size
    return 0


def _log_file(request: web.Request) -> Path:
    """Return the newest log of that name; the names come from the API server and hold no slashes."""
    info = request.match_info
    found = [file for folder in request.app[LOGS].glob(f"{info['namespace']}_{info['pod']}_*")
             if (file := folder / f"{info['container']}.log").exists()]  # fmt: skip
    if not found:
        raise web.HTTPNotFound(text=f"no log of container {info['container']} in pod {info['pod']} yet")
    return max(found, key=lambda file: file.stat().st_ctime)


def _has_ended(request: web.Request, file: Path) -> bool:
    uid = file.parent.name.rpartition("_")[2]
    folder = request.app[PODS] / uid / "containers" / file.stem
    return not folder.exists() or (folder / "exit.json").exists()
