#!/bin/sh
# Installs Debian packages without asking anything and without starting any
# service: sh build/setup/apt.sh redis-server openssl
#
# While policy-rc.d ends with 101, packages start nothing; afterwards redis-server
# is disabled, so that it does not start with the machine either.
set -u
policy=${RELAY_POLICY_RC_D:-/usr/sbin/policy-rc.d}
wrote_policy=no
finish () { if [ "$wrote_policy" = yes ]; then rm -f "$policy"; fi; }
trap finish EXIT
trap 'exit 130' HUP INT TERM

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || exit
if [ ! -e "$policy" ]; then
  wrote_policy=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" || exit
fi
apt-get install -y -qq --no-install-recommends "$@" || exit

for package in "$@"; do
  [ "$package" = redis-server ] || continue
  # Without systemd, as in most containers, its Debian helper keeps the same links.
  for tool in systemctl deb-systemd-helper; do
    if command -v "$tool" >/dev/null; then "$tool" disable redis-server.service >/dev/null 2>&1 || true; fi
  done
done
