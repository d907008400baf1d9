"""A converted model on a CPU, through OpenVINO, in the best precision that the hardware has."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino

from services.shared.processor import multiplies_bf16

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class OpenVinoEngine:
    """The forward pass by OpenVINO.

    Precision: bf16 where the CPU multiplies it in hardware, else fp32 (emulated bf16 is slower); of a graph quantised
    to `int8`, that of what was not. One request at a
    time: `forward` is not for several threads. Memory: the weights are mapped, so processes share them.
    """

    def __init__(self, graph: Path, *, threads: int, int8: bool = False) -> None:
        core = openvino.Core()
        capable = multiplies_bf16()
        self.precision = "int8" if int8 else "bf16" if capable else "fp32"
        self.name = f"OpenVINO on {core.get_property('CPU', 'FULL_DEVICE_NAME')}"
        compiled = core.compile_model(graph, "CPU", {
            "INFERENCE_PRECISION_HINT": "bf16" if capable else "f32",
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "CPU_RUNTIME_CACHE_CAPACITY": 256,
        })  # fmt: skip
        self._request = compiled.create_infer_request()

    def forward(self, *inputs: Ids) -> Vectors:
        """What the graph makes of padded token ids, their mask and, where it takes them, their types."""
        self._request.infer(dict(enumerate(inputs)), share_inputs=True)
        return np.array(self._request.get_output_tensor(0).data, dtype=np.float32)
