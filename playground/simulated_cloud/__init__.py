"""A simulated Comfy Cloud: a strict, stateful server on 127.0.0.1 with no account behind it.

`SimulatedCloud` holds an account's jobs and books; `serving()` puts them on real sockets. Its manners are those of
the documented API, with switches for what is undocumented, faults for what goes wrong on a network, and bends for a
cloud that breaks its contract.
"""

from .bends import BENDS, Bend
from .books import RecordedRequest
from .cloud import DEFAULT_API_KEY, SimulatedCloud
from .error_shapes import ERROR_SHAPES, ErrorShape
from .failures import INPUT_SECRET
from .faults import Fault
from .jobs import ABSENT, ACTIVE, FINISHED, STATUSES, SimulatedJob
from .switches import Switches

__all__ = [
    "ABSENT",
    "ACTIVE",
    "BENDS",
    "DEFAULT_API_KEY",
    "ERROR_SHAPES",
    "FINISHED",
    "INPUT_SECRET",
    "STATUSES",
    "Bend",
    "ErrorShape",
    "Fault",
    "RecordedRequest",
    "SimulatedCloud",
    "SimulatedJob",
    "Switches",
]
