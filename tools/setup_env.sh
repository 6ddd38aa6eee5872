#!/usr/bin/env bash
# Makes the pinned environment, or finds it unchanged:  bash tools/setup_env.sh [openmmlab|onedl]
# It lies in $WSSS_VENV, else in .venv; the last line printed is its folder.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
stack=${1:-openmmlab}
venv=$(realpath -m "${WSSS_VENV:-$root/.venv}")
pins=("$root/requirements/common.txt" "$root/requirements/$stack.txt" "$root/requirements/dev.txt")

fail() {
  printf 'setup_env: %s\n' "$*" >&2
  exit 1
}

say() { printf 'setup_env: %s\n' "$*" >&2; }

case $stack in
  openmmlab | onedl) ;;
  *) fail "expected openmmlab or onedl, received $stack" ;;
esac

find_python() {
  local candidate
  # A name on PATH may be a shim that fails, so each is tried, not looked up.
  for candidate in python3.11 python3.12 python3.10 python3 python /usr/bin/python3; do
    if "$candidate" -c 'import sys, venv, ensurepip
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  return 1
}

key=$(cat "${pins[@]}" "$root/setup.py" | sha256sum | cut -c1-16)
stamp="$venv/.wsss_plugin-$stack-$key-$(printf '%s' "$root" | sha256sum | cut -c1-8)"
if [[ -x $venv/bin/python && -e $stamp ]]; then
  say "reusing $venv ($stack)"
  echo "$venv"
  exit 0
fi
other=$([[ $stack == openmmlab ]] && echo onedl || echo openmmlab)
if compgen -G "$venv/.wsss_plugin-$other-*" >/dev/null; then
  fail "$venv holds the toolbox $other, which shares import names with $stack; set WSSS_VENV to another folder"
fi

if [[ ! -x $venv/bin/python ]]; then
  python=$(find_python) || fail 'expected a working Python 3.10, 3.11 or 3.12 with venv, found none; install one (Debian: apt-get install python3-venv)'
  say "making $venv with $python ($("$python" -V 2>&1))"
  "$python" -m venv "$venv"
fi
python="$venv/bin/python"

mapfile -t tools < <(grep -E '^setuptools==' "$root/requirements/common.txt")
say "installing pip's own tools"
"$python" -m pip install --disable-pip-version-check -q "${tools[@]}" wheel 2> >(grep -v '^WARNING: Location' >&2 || true)

say "installing the pinned packages of $stack (some minutes, 5 GB)"
log="$venv/install.log"
if ! "$python" -m pip install --disable-pip-version-check --progress-bar off \
  -r "$root/requirements/$stack.txt" -r "$root/requirements/dev.txt" 2>&1 | tee "$log" |
  { grep --line-buffered -E '^(Collecting|  Downloading|Installing|Successfully|ERROR|error)' >&2 || true; }; then
  tail -n 25 "$log" >&2
  if grep -q 'pydensecrf2' <(tail -n 60 "$log"); then
    say 'pydensecrf2 is compiled on this machine: it needs gcc and g++ (Debian: apt-get install build-essential) and the headers of Python (python3-dev)'
  fi
  fail "pip failed; the whole log is $log"
fi

say 'installing the plugin'
"$python" -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e "$root" \
  2> >(grep -v '^WARNING: Location' >&2 || true)
rm -f "$venv"/.wsss_plugin-*
touch "$stamp"
say "ready: $venv ($stack)"
echo "$venv"
