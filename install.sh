#!/bin/sh
# Builds eks-group-auth from this checkout and installs it. Only writes to PREFIX/bin/eks-group-auth and target/.
set -eu

name=eks-group-auth
prefix=${HOME:+$HOME/.local}
uninstall=no

usage() {
    cat <<TXT
Usage: ./install.sh [--prefix DIR] [--uninstall]

Builds $name and installs it as DIR/bin/$name (by default \$HOME/.local/bin/$name).
  --prefix DIR   install under DIR
  --uninstall    remove DIR/bin/$name, but keep the cache
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

[ -n "$prefix" ] || die "nowhere to install to: HOME is not set" "choose a directory with --prefix DIR"
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
        say "The cache was kept. To remove it: rm -r \"\${EKS_GROUP_AUTH_CACHE_DIR:-\${XDG_CACHE_HOME:-\$HOME/.cache}/$name}\""
    else
        say "$installed does not exist; nothing was removed."
    fi
    exit 0
fi

cd "$(dirname "$0")"

# Fall back to rustup's directory if it is not in PATH yet.
if ! command -v cargo >/dev/null 2>&1 && [ -x "${HOME:-}/.cargo/bin/cargo" ]; then
    PATH=$HOME/.cargo/bin:$PATH
fi
command -v cargo >/dev/null 2>&1 || die "cargo is not installed" "install Rust, version 1.94.1 or later: https://rustup.rs"
command -v cc >/dev/null 2>&1 || die "no C compiler (cc) found; the TLS library and the linker need one" \
    "install one: apt-get install gcc, dnf install gcc, or on macOS xcode-select --install"

mkdir -p "$bin" 2>/dev/null || die "cannot create $bin" "choose another directory with --prefix DIR"
[ -w "$bin" ] || die "cannot write to $bin" "choose another directory with --prefix DIR"

# A static binary starts in a third of the time and runs on any Linux. Building one needs Rust's standard library for
# musl and a C compiler for musl.
host=$(rustc -vV | sed -n 's/^host: //p')
target=$host
kind="dynamically linked"
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
        why="run rustup target add $musl"
        [ -n "$compiler" ] || why="$why, install musl-gcc (apt-get install musl-tools)"
    elif [ -z "$compiler" ]; then
        why="install musl-gcc (apt-get install musl-tools)"
    else
        why=
        target=$musl
        kind="static (musl, PIE)"
        export "CC_$(printf %s "$musl" | tr - _)=$compiler"
    fi
    if [ -n "$why" ]; then
        say "Building a dynamically linked binary. A static one would start faster:"
        say "to get one, stop this script, $why, and run the script again."
    fi
    ;;
esac

say "Building $name for $target; this takes a few minutes."
cargo build --release --locked --target "$target" --target-dir target --bin "$name" ||
    die "the build failed; see cargo's output above"

built=target/$target/release/$name
if ! version=$("$built" --version); then
    case $target in
    *-musl) hint="if the standard library for $target is not from rustup, its musl may be older than 1.2.4" ;;
    *) hint="run $built --version to see why" ;;
    esac
    die "the new binary does not run; $installed was left unchanged" "$hint"
fi

# Copied to a temporary name and then renamed, so that a running kubectl never sees a partial file.
cp "$built" "$installed.new.$$"
chmod 755 "$installed.new.$$"
mv -f "$installed.new.$$" "$installed"

say
say "Installed $version, $kind, as $installed."
case :$PATH: in
*:"$bin":*) command=$name ;;
*)
    command=$installed
    say "$bin is not in your PATH, so the block below uses the full path."
    ;;
esac
cat <<TXT

Your kubeconfig was not changed. To use $name for a cluster, change the cluster's user entry to the following,
replacing the names in capitals with your own:

users:
- name: USER
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      interactiveMode: IfAvailable
      command: $command
      args: [token, --cluster, CLUSTER, --region, REGION, --role, "arn:aws:iam::ACCOUNT:role/ROLE"]
TXT
