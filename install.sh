#!/bin/sh
# Builds eks-group-auth from this checkout and installs it. Touches nothing but PREFIX/bin/eks-group-auth and target/.
set -eu

name=eks-group-auth
prefix=${HOME:+$HOME/.local}
uninstall=no

usage() {
    cat <<TXT
Usage: ./install.sh [--prefix DIR] [--uninstall]

Builds $name and installs it as DIR/bin/$name (by default \$HOME/.local/bin/$name).
  --prefix DIR   install under DIR
  --uninstall    remove DIR/bin/$name again; the cache is kept
TXT
}

say() { printf '%s\n' "$*"; }

die() {
    printf 'install.sh: error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'install.sh: hint: %s\n' "$2" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ $# -ge 2 ] || die "--prefix needs a directory" "run ./install.sh --help"
        prefix=$2
        shift
        ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --uninstall) uninstall=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        die "unknown argument: $1" "run ./install.sh --help"
        ;;
    esac
    shift
done

[ -n "$prefix" ] || die "nowhere to install to: HOME is not set" "say where with --prefix DIR"
case $prefix in
/*) ;;
*) prefix=$(pwd)/$prefix ;;
esac
bin=$prefix/bin
installed=$bin/$name

if [ "$uninstall" = yes ]; then
    if [ -e "$installed" ] || [ -h "$installed" ]; then
        rm -f "$installed"
        say "Removed $installed."
        say "Its cache is kept. Where there is one: rm -r \"\${EKS_GROUP_AUTH_CACHE_DIR:-\${XDG_CACHE_HOME:-\$HOME/.cache}/$name}\""
    else
        say "There is no $installed; nothing was removed."
    fi
    exit 0
fi

cd "$(dirname "$0")"

# rustup's own directory, where the shell has not been told of it yet.
if ! command -v cargo >/dev/null 2>&1 && [ -x "${HOME:-}/.cargo/bin/cargo" ]; then
    PATH=$HOME/.cargo/bin:$PATH
fi
command -v cargo >/dev/null 2>&1 || die "cargo is not installed" "install Rust, version 1.94.1 or later: https://rustup.rs"
command -v cc >/dev/null 2>&1 || die "there is no C compiler (cc), which the TLS library and the linker need" \
    "install one: apt-get install gcc, dnf install gcc, or on macOS xcode-select --install"

mkdir -p "$bin" 2>/dev/null || die "cannot create $bin" "choose another place with --prefix DIR"
[ -w "$bin" ] || die "cannot write to $bin" "choose another place with --prefix DIR"

# A static binary starts in a third of the time, and runs on any Linux. It needs musl's standard library for Rust and a
# C compiler for musl.
host=$(rustc -vV | sed -n 's/^host: //p')
target=$host
kind="ordinary (dynamically linked)"
case $host in
*-unknown-linux-musl) kind="static (musl, PIE)" ;;
*-unknown-linux-gnu)
    arch=${host%%-*}
    musl=$arch-unknown-linux-musl
    libdir=$(rustc --print target-libdir --target "$musl" 2>/dev/null || true)
    compiler=
    for candidate in "$arch-linux-musl-gcc" musl-gcc; do
        if command -v "$candidate" >/dev/null 2>&1; then
            compiler=$candidate
            break
        fi
    done
    if [ -z "$libdir" ] || ! ls "$libdir"/libstd-*.rlib >/dev/null 2>&1; then
        why="rustup target add $musl"
        [ -n "$compiler" ] || why="$why, and install musl-gcc (apt-get install musl-tools)"
    elif [ -z "$compiler" ]; then
        why="install musl-gcc (apt-get install musl-tools)"
    else
        why=
        target=$musl
        kind="static (musl, PIE)"
        export "CC_$(printf %s "$musl" | tr - _)=$compiler"
    fi
    if [ -n "$why" ]; then
        say "Building the ordinary, dynamically linked binary. A static one would start faster:"
        say "for that, stop here, $why, and run this again."
    fi
    ;;
esac

say "Building $name for $target; this takes some minutes."
cargo build --release --locked --target "$target" --target-dir target --bin "$name" ||
    die "the build failed; cargo's words are above"

built=target/$target/release/$name
if ! version=$("$built" --version); then
    case $target in
    *-musl) hint="if $target's standard library is not rustup's, its musl may be older than 1.2.4" ;;
    *) hint="run $built --version to see what it says" ;;
    esac
    die "the binary that was built does not run; $installed was left as it was" "$hint"
fi

# Beside its place and renamed, so that a kubectl that is running never sees half a file.
cp "$built" "$installed.new.$$"
chmod 755 "$installed.new.$$"
mv -f "$installed.new.$$" "$installed"

say
say "Installed $version, $kind, as $installed."
case :$PATH: in
*:"$bin":*) command=$name ;;
*)
    command=$installed
    say "$bin is not in your PATH, so the block below names the file itself."
    ;;
esac
cat <<TXT

Your kubeconfig is untouched. For a cluster that you want to reach with it, let the entry of its user read as follows,
with your own names in place of those in capitals:

users:
- name: USER
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      interactiveMode: IfAvailable
      command: $command
      args: [token, --cluster, CLUSTER, --region, REGION, --role, "arn:aws:iam::ACCOUNT:role/ROLE"]
TXT
