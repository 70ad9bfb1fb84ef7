#!/usr/bin/env bash
# Runs a program in several network namespaces of this machine, which are like machines on a switch: each has a link of a given
# bandwidth, in both directions (tc tbf). As root. Usage: namespaces.sh COUNT BANDWIDTH PROGRAM..., where BANDWIDTH is that of tc,
# such as 1gbit. The programs find RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, for torch.distributed.
set -euo pipefail
count=$1 bandwidth=$2
shift 2
name=bp$$
remove() { for k in switch $(seq 0 $((count - 1))); do ip netns del "$name-$k" 2>/dev/null || true; done; }
trap remove EXIT

ip netns add "$name-switch"
ip -n "$name-switch" link add bridge type bridge
ip -n "$name-switch" link set bridge up
for ((k = 0; k < count; k++)); do
    ip netns add "$name-$k"
    ip -n "$name-$k" link add eth0 type veth peer name "port$k" netns "$name-switch"
    ip -n "$name-$k" addr add "10.0.0.$((k + 1))/24" dev eth0
    ip -n "$name-$k" link set lo up
    ip -n "$name-$k" link set eth0 up
    ip -n "$name-switch" link set "port$k" master bridge up
    tc -n "$name-$k" qdisc add dev eth0 root tbf rate "$bandwidth" burst 256kb latency 50ms
    tc -n "$name-switch" qdisc add dev "port$k" root tbf rate "$bandwidth" burst 256kb latency 50ms
done
programs=()
for ((k = 0; k < count; k++)); do
    RANK=$k WORLD_SIZE=$count MASTER_ADDR=10.0.0.1 MASTER_PORT=29500 GLOO_SOCKET_IFNAME=eth0 ip netns exec "$name-$k" "$@" &
    programs+=($!)
done
status=0
for k in "${programs[@]}"; do wait "$k" || status=$?; done
exit $status
