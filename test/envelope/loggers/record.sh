#!/usr/bin/env bash
# Records uWSGI's own loggers: one server writes to a file and, through `logger = syslog` or `logger = rsyslog`, to a real rsyslogd.
# Needs root (for /dev/log, which must not be there yet) and Debian's uwsgi-core, uwsgi-plugin-python3, rsyslog, curl.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
[ ! -e /dev/log ] || { echo '/dev/log is somebody else'"'"'s' >&2; exit 2; }
cat > "$work/app.py" <<'PY'
import threading
import time

threading.Thread(target=time.sleep, args=(60,)).start()


def application(environ, start_response):
    time.sleep(0.1)
    print('application says\nhello')
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'hi\n']
PY
cat > "$work/rsyslog.conf" <<CONF
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="/dev/log" CreatePath="off")
module(load="imudp")
input(type="imudp" port="10515" address="127.0.0.1")
action(type="omfile" file="$work/rsyslog-traditional.log" template="RSYSLOG_TraditionalFileFormat")
action(type="omfile" file="$work/rsyslog-file-format.log" template="RSYSLOG_FileFormat")
action(type="omfile" file="$work/rsyslog-protocol.log" template="RSYSLOG_SyslogProtocol23Format")
CONF
rsyslogd -n -f "$work/rsyslog.conf" -i "$work/rsyslogd.pid" &
rsyslogd=$!
sleep 1.5
for kind in syslog rsyslog; do
  logger=$([ $kind = syslog ] && echo syslog:shop || echo rsyslog:127.0.0.1:10515,shop)
  rm -f "$work"/*.log
  kill -HUP $rsyslogd
  sleep 0.5
  (cd "$work" && exec timeout -s KILL 25 uwsgi --plugin "python3,$kind,logfile" --http-socket 127.0.0.1:18099 --wsgi-file app.py --master \
    --processes 3 --worker-reload-mercy 3 --enable-threads --logger "$logger" --logger "file:$work/plain.log" --pidfile uwsgi.pid) &
  sleep 3
  for _ in 1 2 3 4 5; do curl -s -o /dev/null 127.0.0.1:18099/; done
  kill -HUP "$(cat "$work/uwsgi.pid")"
  sleep 9
  for _ in 1 2 3; do curl -s -o /dev/null 127.0.0.1:18099/; done
  kill -INT "$(cat "$work/uwsgi.pid")"
  sleep 7
  # Its loggers are threads, and lose what is in their pipe when the server replaces its own image: once, more than a few lines.
  [ "$(grep -c 'NO MERCY' "$work/plain.log")" = 6 ] || { echo "$kind: the file lost lines that matter: run this again" >&2; exit 1; }
  mkdir -p "$here/$kind"
  cp "$work"/*.log "$here/$kind/"
done
