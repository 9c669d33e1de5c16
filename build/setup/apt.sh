#!/bin/sh
# Installs Debian packages without asking anything and without starting any
# service: sh build/setup/apt.sh redis-server openssl
#
# While policy-rc.d ends with 101, packages start nothing; systemd is told
# afterwards not to start it with the machine either.
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

if [ -d /run/systemd/system ]; then
  for package in "$@"; do
    if [ "$package" = redis-server ]; then systemctl disable --quiet redis-server 2>/dev/null || true; fi
  done
fi
