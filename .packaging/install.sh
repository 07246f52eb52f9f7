#!/bin/sh
# Installs xacct for Linux or macOS from a release, and checks what it downloads:
#
#   curl -fsSL https://github.com/xacct/xacct/releases/latest/download/install.sh | sh
#
# XACCT_VERSION   the version, such as 0.2.0 (default: that of this script)
# XACCT_PREFIX    where to install bin and share (default: ~/.local)
# XACCT_BASE_URL  where the releases are, for a mirror
# XACCT_ATTEST    1 to check the build provenance, too, with the GitHub CLI
set -eu

version=${XACCT_VERSION:-0.2.0}
prefix=${XACCT_PREFIX:-${HOME:-}/.local}
base=${XACCT_BASE_URL:-https://github.com/xacct/xacct/releases/download}

fail() {
  echo "error: $1" >&2
  echo "fix: $2" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Everything in functions: a script that arrives cut short does nothing.
target() {
  system=""
  case $(uname -s) in
    Linux) ;;
    Darwin) system=apple-darwin ;;
    *) fail "there is no package for $(uname -s)" "pip install xacct, or cargo install --locked --git https://github.com/xacct/xacct" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) fail "there is no package for $(uname -m)" "cargo install --locked --git https://github.com/xacct/xacct" ;;
  esac
  # Alpine and others have musl, whose loader has this name; glibc programs do not start there.
  if [ -z "$system" ]; then
    system=unknown-linux-gnu
    for loader in /lib/ld-musl-*; do
      [ ! -e "$loader" ] || system=unknown-linux-musl
    done
  fi
  echo "$machine-$system"
}

download() {
  if has curl; then
    curl --fail --silent --show-error --location --retry 3 --output "$2" "$1"
  elif has wget; then
    wget -q -O "$2" "$1"
  else
    fail "there is neither curl nor wget" "install one of them"
  fi || fail "cannot download $1" "check the version, the network and HTTPS_PROXY"
}

checksum() {
  if has sha256sum; then
    sha256sum "$1"
  elif has shasum; then
    shasum -a 256 "$1"
  else
    fail "there is neither sha256sum nor shasum, so the download cannot be checked" "install coreutils or perl"
  fi
}

main() {
  case $version in
    [0-9]*.[0-9]*.[0-9]*) ;;
    *) fail "XACCT_VERSION \`$version\` is not a version" "use a number such as 0.2.0" ;;
  esac
  case $prefix in
    /*) ;;
    *) fail "XACCT_PREFIX \`$prefix\` is not an absolute path" "set XACCT_PREFIX or HOME to an absolute path" ;;
  esac
  for tool in tar xz mktemp uname; do
    has "$tool" || fail "there is no $tool" "install $tool"
  done
  name=xacct-$version-$(target)
  directory=$(mktemp -d)
  trap 'rm -rf "$directory"' EXIT
  trap 'exit 130' INT TERM HUP
  download "$base/v$version/SHA256SUMS" "$directory/SHA256SUMS"
  download "$base/v$version/$name.tar.xz" "$directory/$name.tar.xz"
  expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $name\.tar\.xz\$/\1/p" "$directory/SHA256SUMS")
  actual=$(checksum "$directory/$name.tar.xz")
  [ -n "$expected" ] || fail "SHA256SUMS has no line for $name.tar.xz" "choose another version"
  [ "${actual%% *}" = "$expected" ] ||
    fail "$name.tar.xz is not the file of the release: its SHA-256 is ${actual%% *}, SHA256SUMS says $expected" \
      "do not use it; try again from another network"
  if [ "${XACCT_ATTEST:-}" = 1 ]; then
    has gh || fail "there is no gh, which checks the build provenance" "install the GitHub CLI, or unset XACCT_ATTEST"
    gh attestation verify "$directory/$name.tar.xz" --repo xacct/xacct \
      --signer-workflow xacct/xacct/.github/workflows/release.yml ||
      fail "$name.tar.xz has no provenance of xacct's release workflow" "do not use it"
  fi
  tar -xJf "$directory/$name.tar.xz" -C "$directory"
  if ! mkdir -p "$prefix/bin" 2>/dev/null || ! [ -w "$prefix/bin" ]; then
    fail "cannot write to $prefix/bin" "set XACCT_PREFIX to a directory of yours"
  fi
  # A program that runs cannot be overwritten, but replaced.
  rm -f "$prefix/bin/xacct" "$prefix/bin/xacct-sandbox"
  cp -R "$directory/$name/." "$prefix/"
  echo "Installed $("$prefix/bin/xacct" --version) in $prefix/bin"
  case :$PATH: in
    *:"$prefix/bin":*) ;;
    *) echo "Add it to PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
  esac
  echo 'Try it, without an AWS account: xacct-sandbox'
}

main
