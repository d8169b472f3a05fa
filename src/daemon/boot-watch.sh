#!/bin/sh
# Ends a program that the daemon became and that does not come up: it hangs, and what would bring back the one before
# waits for its end. The arguments are its pid and the seconds that it has. A line on the pipe, or its end, means that it
# serves or is gone; then the whole group of this shell ends.
{
  read -r _ <&3
  kill -KILL 0
} &
exec 3<&-
sleep "$2"
kill -KILL "$1"
kill -KILL 0
