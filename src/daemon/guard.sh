#!/bin/sh
# Brings the daemon back. Holds every descriptor that must outlive it (by inheritance) and blocks on a pipe that the
# daemon keeps open. A line on the pipe means "not needed any more"; end of file means that the daemon is gone, and
# this process becomes the next one, with all it held.
#
# $1: seconds to wait first (a daemon that died at once must not be started in a tight loop); then the command.
wait=$1
shift
if read -r _ <&3; then
  exit 0
fi
exec 3<&-
[ "$wait" = 0 ] || sleep "$wait"
exec "$@"
