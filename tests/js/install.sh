#!/bin/sh
# Make sure that there is Node for the checks of the JavaScript; they are never skipped. The app itself runs without.
# Usage: sh tests/js/install.sh
set -eu

have_node() {
    command -v npm >/dev/null 2>&1 || return 1
    node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

have_node && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs npm || true
    have_node && exit 0
fi
echo "The checks of the JavaScript need Node 20.19 or later with npm, and it could not be installed from here." >&2
echo "Install it (Debian 13 or later: apt-get install nodejs npm; elsewhere: nodejs.org/download, or a version manager such as nvm)," >&2
echo "then run make test again." >&2
exit 1
