#!/bin/sh
# Make sure that there is a Chromium for the browser tests; they are never skipped.
# Usage: sh tests/browser/install.sh <the virtual environment's bin folder>
set -eu
bin=$1

have_chromium() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    "$bin/python" - <<'PY'
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    sys.exit(not pathlib.Path(p.chromium.executable_path).exists())
PY
}

have_chromium && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium || true
    have_chromium && exit 0
fi
"$bin/playwright" install chromium || true
have_chromium && exit 0
echo "The browser tests need Chromium, and it could not be installed from here." >&2
echo "Install it (Debian: apt-get install chromium; elsewhere: $bin/playwright install --with-deps chromium)," >&2
echo "then run make test again." >&2
exit 1
