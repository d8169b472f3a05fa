#!/bin/sh
# Brings the daemon back. Holds every descriptor that must outlive it (by inheritance) and blocks on a pipe that the
# daemon keeps open. A line on the pipe means "not needed any more"; end of file means that the daemon is gone, and
# this process becomes the next one, with all it held. The arguments are its command.
if read -r _ <&3; then
  exit 0
fi
# Others may wait for the same daemon's end; one of them comes next (daemon/succession.ts).
read -r _ <&7 || exit 0
exec 7<&-
# Where the copy that the daemon ran from was removed with its home, what it was copied from is as good. And where a home
# cannot share the Node of its copy, a version manager may have removed that: another one is better than none.
become() {
  for main in "$@"; do :; done
  if [ ! -r "$main" ] && [ -r "$DROVER_INSTALLED_MAIN" ]; then
    shift
    # The options are between the program and the file.
    left=$#
    while [ "$left" -gt 1 ]; do
      set -- "$@" "$1"
      shift
      left=$((left - 1))
    done
    shift
    set -- "$DROVER_INSTALLED_NODE" "$@" "$DROVER_INSTALLED_MAIN"
  fi
  if [ ! -x "$1" ]; then
    shift
    exec node "$@"
  fi
  exec "$@"
}
# Until that one has a guard of its own, a copy of this one stands by at another pipe (daemon/standby.ts): once, so that
# a daemon that cannot start is not tried for ever. Nobody's child, because nobody would wait for its end.
(
  (
    exec 3<&5 5<&- 6>&- 7<&8 8<&-
    unset DROVER_STANDBY DROVER_SUCCESSION
    read -r _ <&3 && exit 0
    read -r _ <&7 || exit 0
    exec 3<&- 7<&-
    become "$@"
  ) &
)
exec 3<&- 5<&-
become "$@"
