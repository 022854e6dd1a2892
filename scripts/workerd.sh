#!/bin/sh
# Becomes workerd, having noted its process id and its parent's: it outlives a parent that is killed, and the next start must find it.
echo "$$ $PPID" > "$TALLY_WORKERD_PID_FILE"
exec "$TALLY_WORKERD" "$@"
