#!/usr/bin/env bash
# Runs a PostgreSQL server that takes connections under TLS only, on a folder that has its certificate and key, until it is told to end.
set -eu
folder=$1 port=$2
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
bin=${bin:-$(pg_config --bindir)}
run=()
# PostgreSQL refuses to run as root.
if [ "$(id -u)" = 0 ]; then
  user=nobody
  id postgres >/dev/null 2>&1 && user=postgres
  run=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
  chown -R "$user" "$folder"
fi
chmod 755 "$folder"
chmod 600 "$folder/server.key"
cd "$folder"
"${run[@]}" "$bin/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
echo 'hostssl all all all trust' >"$folder/data/pg_hba.conf"
exec "${run[@]}" "$bin/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c ssl=on -c "ssl_cert_file=$folder/server.crt" -c "ssl_key_file=$folder/server.key" -c fsync=off
