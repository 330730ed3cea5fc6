#!/bin/sh
# Makes a started container look like a freshly installed server: names, sources, host keys, writable net.* settings.
# Usage: furnish.sh CONTAINER SOURCES PROXY. Prints "furnished" unless it was done before.
set -eu
container=$1 sources=$2 proxy=$3

if podman exec "$container" test -e /etc/apt/sources.list.d/debian.sources; then
    exit 0
fi

# Only net.* belongs to the container; everything else under /proc/sys is the machine's and stays read-only.
pid=$(podman inspect --format '{{.State.Pid}}' "$container")
nsenter --target "$pid" --mount --net --pid sh -eu -c '
    folder=$(mktemp -d)
    mount -t proc proc "$folder"
    mount --bind "$folder/sys/net" /proc/sys/net
    umount "$folder"
    rmdir "$folder"'

podman exec --interactive "$container" sh -c 'cat > /etc/resolv.conf; chmod 0644 /etc/resolv.conf' < /etc/resolv.conf
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$(podman exec "$container" hostname)" |
    podman exec --interactive "$container" sh -c 'cat > /etc/hosts; chmod 0644 /etc/hosts'
if [ -n "$proxy" ]; then
    printf 'Acquire::http::Proxy "%s";\n' "$proxy" |
        podman exec --interactive "$container" sh -c 'cat > /etc/apt/apt.conf.d/00proxy'
fi
podman exec "$container" sh -c 'ssh-keygen -q -A && systemctl reset-failed ssh && systemctl restart ssh'
podman exec "$container" systemctl is-system-running --wait
podman exec "$container" rm -f /etc/apt/sources.list
printf '%s' "$sources" |
    podman exec --interactive "$container" sh -c 'umask 022; cat > /etc/apt/sources.list.d/debian.sources'
echo furnished
