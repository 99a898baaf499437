# Starts a server and ends it when the pipe on standard input closes, which happens when the test process ends in
# whatever way: returned, panicked, interrupted or killed. Arguments: log file, folder to remove at the end, command.
log=$1 rubbish=$2
shift 2

exec 3<&0 </dev/null
# A session of its own: all that the server forks can be ended at once.
setsid "$@" 3<&- >>"$log" 2>&1 &
server=$!
echo "$server"
exec >/dev/null 2>&1

{
    read -r _ <&3
    kill -s TERM -- "-$server"
    for _ in $(seq 50); do
        kill -s 0 -- "-$server" || exit
        sleep 0.1
    done
    kill -s KILL -- "-$server"
} &
watcher=$!

wait "$server"
code=$?
kill "$watcher"
# What the server left behind gets a moment to end by itself.
for _ in $(seq 20); do
    kill -s 0 -- "-$server" || break
    sleep 0.1
done
kill -s KILL -- "-$server"
[ -z "$rubbish" ] || rm -rf "$rubbish"
exit "$code"
