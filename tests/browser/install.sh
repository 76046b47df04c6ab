#!/bin/sh
# Make sure that there is a Chromium for the browser tests; they are never skipped.
# Usage: sh tests/browser/install.sh <the virtual environment's bin folder>
set -eu
bin=$1

have() {
    for name in "$@"; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    "$bin/python" - <<'PY'
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    sys.exit(not pathlib.Path(p.chromium.executable_path).exists())
PY
}

fetch() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 0
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" || true
}

# Chromium without its own window costs less; the whole one is as good where there is none.
have chromium-headless-shell && exit 0
fetch chromium-headless-shell
have chromium-headless-shell chromium chromium-browser google-chrome && exit 0
fetch chromium
have chromium && exit 0
"$bin/playwright" install chromium || true
have && exit 0
echo "The browser tests need Chromium, and it could not be installed from here." >&2
echo "Install it (Debian: apt-get install chromium-headless-shell; elsewhere: $bin/playwright install --with-deps chromium)," >&2
echo "then run make test again." >&2
exit 1
