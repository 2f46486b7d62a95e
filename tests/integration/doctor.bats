# doctor.bats - what the host offers, told without changing it.

load lib.bash

setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

@test "doctor: a line per finding; JSON for scripts; nothing is changed" {
	run compose doctor
	[ "$status" = 0 ]
	[[ $output == *"kernel"*"$(uname -r)"* ]]
	[[ $output == *"memory limits"* ]]
	compose doctor --format json >out
	jq -e 'length > 8 and all(.[]; .Status | IN("ok", "limited", "missing"))' out
	jq -e '.[] | select(.Name == "bridges") | .Status == "ok"' out
	jq -e '.[] | select(.Name == "spoofing") | .Status == "ok"' out
	jq -e '.[] | select(.Name == "project quotas") | .Status == "ok" or (.Costs | contains("storage_opt"))' out
	machine_same
}

@test "doctor: a user who is not root is told so, with exit status 1" {
	exec 9<"$CTRCOMPOSE"
	run setpriv --reuid 65534 --clear-groups sh -c 'cd / && exec /proc/self/fd/9 doctor'
	exec 9<&-
	[ "$status" = 1 ]
	[[ $output == *"not root"* ]]
}

@test "doctor: a network whose addresses clash with a new route is named" {
	echo 'services: { a: { image: box } }' >compose.yaml
	compose up -d
	run compose doctor
	[[ $output != *addresses* ]]
	subnet=$(ip -o -4 route | awk '/cc/ { print $1; exit }')
	ip link add vpn0 type veth peer name vpn1
	ip link set vpn0 up
	ip route add "${subnet%.*}.128/25" dev vpn0
	run compose doctor
	ip link del vpn0
	[[ $output == *addresses*"t3_default"*".128/25"* ]]
}
