#!/usr/bin/env bash
# Makes the environment in $1: interpreter, locked packages, page assets, converted models.
set -euo pipefail
venv=${1:-.venv}

interpreter() { # a name on the path may be a shim that cannot start, so each is tried
    local name
    for name in python3.12 python3.11 python3 python; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Tidemark needs Python 3.11 or 3.12: install one of them and run 'make setup' again." >&2
    return 1
}

npm_program() { # Node comes from a Python package where the machine has none
    if command -v npm >/dev/null; then echo npm; return; fi
    "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r requirements/node.txt >&2
    echo "$venv/bin/npm"
}

if ! "$venv/bin/python" -c '' 2>/dev/null; then
    python=$(interpreter)
    echo "setup: environment ($("$python" --version))"
    "$python" -m venv --clear "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt

echo "setup: packages (the first time downloads about 3 GB)"
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r requirements/dev.txt
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps -e . -e client

echo "setup: page assets"
npm=$(npm_program)
(cd services/console && PATH="$OLDPWD/$venv/bin:$PATH" "$npm" ci --ignore-scripts --no-audit --no-fund --silent)
"$venv/bin/python" -m services.console.assets

echo "setup: models"
"$venv/bin/python" -m services.shared.model_store
"$venv/bin/python" -m services.shared.classifier_store
# Compiled by the first import: else the first start does it, in twelve processes at once.
"$venv/bin/python" - <<'PY'
import importlib, pathlib
for path in (*pathlib.Path("services").glob("*/app.py"), pathlib.Path("demo/conductor.py"), pathlib.Path("cli/main.py")):
    importlib.import_module(".".join(path.with_suffix("").parts))
PY
echo "setup: done"
