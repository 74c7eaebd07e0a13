"""What would hold up the requests: long computations, and full rounds of the garbage collector.

Computations are for threads of the toolkit's own. The event loop belongs to the requests: Python lets it on every few
milliseconds while another thread computes. The loop's own threads are the service's, which may have filled them with
work that waits.
"""

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="serinus")


async def aside(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What `work` returns, or raises.

    It must not change what anybody else has: who gives up waiting does not stop it.
    """
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(work, *arguments, **named))


@cache
def settle() -> None:
    """Keep the garbage collector from what there is at the end of a start: it lives as long as the process.

    A full round looks at everything and nobody is served meanwhile; without the modules, routes and models of a service
    it takes a fraction. Once for each process.
    """
    gc.collect()
    gc.freeze()
