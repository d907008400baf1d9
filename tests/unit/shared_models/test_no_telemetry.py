"""No library of ours reports to anybody."""

import subprocess
import sys

TOLD = """
import multiprocessing, sys
started = []
multiprocessing.Process.start = lambda self: started.append(self)
from services.shared.openvino_engine import OpenVinoEngine
import openvino.tools.ovc as ovc
print(type(ovc.telemetry).__module__, "openvino_telemetry.main" in sys.modules, len(started))
"""


def test_openvino_tells_nobody_that_it_was_imported():
    ran = subprocess.run([sys.executable, "-c", TOLD], capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "False", "0"]
