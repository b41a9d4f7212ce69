#!/usr/bin/env bash
# Runs a PostgreSQL server for tests on a throw-away folder, until nobody has used it for a while; then nothing of it is left.
# A test shares the lock on `users` for as long as its process lives; whoever starts or stops the server holds `gate`.
set -u
folder=$1
fail() {
  touch "$folder/failed"
  exit 1
}
checks_until_idle=3
seconds_between_checks=5

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
bin=${bin:-$(pg_config --bindir)}
run=()
user=$(id -un)
# PostgreSQL refuses to run as root.
if [ "$(id -u)" = 0 ]; then
  user=nobody
  id postgres >/dev/null 2>&1 && user=postgres
  run=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
fi
rm -rf "$folder/data" "$folder/socket"
install -d -o "$user" -m 700 "$folder/data" || fail
install -d -o "$user" -m 755 "$folder/socket" || fail
cd "$folder" || fail

# A locale in which texts are sorted otherwise than by their bytes, as users' databases mostly have one.
"${run[@]}" "$bin/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 \
  --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US --no-sync || fail
"${run[@]}" "$bin/postgres" -D "$folder/data" -k "$folder/socket" -c listen_addresses= -c max_connections=400 \
  -c shared_buffers=128MB -c max_locks_per_transaction=256 -c fsync=on -c synchronous_commit=on &
server=$!
trap 'kill -QUIT $server 2>/dev/null' EXIT

idle=0
while kill -0 "$server" 2>/dev/null; do
  sleep "$seconds_between_checks"
  exec 8>"$folder/gate"
  flock 8
  if flock --nonblock --exclusive "$folder/users" true; then idle=$((idle + 1)); else idle=0; fi
  if [ "$idle" -ge "$checks_until_idle" ]; then
    kill -QUIT "$server"
    wait "$server"
    rm -rf "$folder/data" "$folder/socket"
    exit 0
  fi
  flock --unlock 8
done
