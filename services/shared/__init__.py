"""What two services or more need; each file is named for what it is."""

import sys

# OpenVINO and nncf report every import of theirs to a server on the internet, from a forked child that may hang and
# then outlives its parent. Where their package for that cannot be imported, they do without.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
