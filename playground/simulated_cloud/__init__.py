"""A simulated Comfy Cloud: a strict, stateful server on 127.0.0.1.

`SimulatedCloud` holds the jobs of an account, and `serving()` serves them on real sockets. It behaves as the documented
API, with switches for what is undocumented, faults for what goes wrong on a network, and bends for broken contracts.
"""

from .bends import BENDS, Bend
from .cloud import DEFAULT_API_KEY, SimulatedCloud
from .error_shapes import ERROR_SHAPES, ErrorShape
from .faults import Fault
from .jobs import ABSENT, ACTIVE, FINISHED, STATUSES, SimulatedJob
from .samples import INPUT_SECRET
from .server import RecordedRequest
from .stored_files import FileFacts, Periodic
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
    "FileFacts",
    "Periodic",
    "RecordedRequest",
    "SimulatedCloud",
    "SimulatedJob",
    "Switches",
]
