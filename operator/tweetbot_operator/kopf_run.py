"""kopf's tasks, run to their end: kopf cancels each once, and one that swallows that is waited for without end.

So it happened: after a 410, a watch that waited for new credentials was cancelled together with the flag that stops
watches, took the cancellation for that flag's, and began again to wait (kopf 1.45.2, _cogs/clients/api.py, `stream`).
The operator then held its Lease, watched nothing, and was deaf to SIGTERM.
"""

import asyncio
import logging
from typing import Any

import kopf

LOG = logging.getLogger(__name__)
#: Seconds between two cancellations. kopf gives what it finds left 5 s before the first.
_PATIENCE = 8.0


async def operate(*, patience: float = _PATIENCE, **given: Any) -> None:
    """Run kopf as `kopf.operator` does, but end when it ends. Raises what ended it."""
    before = asyncio.all_tasks()
    roots = await kopf.spawn_tasks(**given)
    await asyncio.wait(roots, return_when=asyncio.FIRST_COMPLETED)
    ending = asyncio.create_task(kopf.run_tasks(roots, ignored=before), name="the end of kopf")
    left = asyncio.all_tasks() - before - {ending}
    while not (await asyncio.wait({ending}, timeout=patience))[0]:
        LOG.warning("kopf does not end: its tasks are cancelled again")
        for task in left:
            task.cancel()
    await ending
