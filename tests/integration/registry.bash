# registry.bash - a registry of the test's own on 127.0.0.1: Debian's docker-registry with TLS and
# users, or without.

registry_open() { # NAME PORT [plain]: leaves $REG (host:port) and settings in the environment
	local dir=$BATS_FILE_TMPDIR/$1
	mkdir -p "$dir/data" "$dir/docker"
	REG=localhost:$2
	{
		printf 'version: 0.1\nlog: { level: error, accesslog: { disabled: true } }\nstorage: { filesystem: { rootdirectory: %s/data }, delete: { enabled: true } }\n' "$dir"
		if [ "${3:-}" = plain ]; then
			printf 'http: { addr: "127.0.0.1:%s" }\n' "$2"
		else
			openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
				-keyout "$dir/key.pem" -out "$dir/ca.pem" 2>/dev/null
			perl -e 'print "user:", crypt("secret", "\$2b\$04\$abcdefghijklmnopqrstuu"), "\n"' >"$dir/htpasswd"
			printf 'http: { addr: "127.0.0.1:%s", tls: { certificate: %s/ca.pem, key: %s/key.pem } }\nauth: { htpasswd: { realm: test, path: %s/htpasswd } }\n' "$2" "$dir" "$dir" "$dir"
		fi
	} >"$dir/config.yml"
	OTEL_TRACES_EXPORTER=none docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 3>&- &
	echo $! >"$dir/pid"
	eventually 10 sh -c "curl -s -o /dev/null -k https://$REG/v2/ || curl -s -o /dev/null http://$REG/v2/" || { cat "$dir/log"; return 1; }
	export DOCKER_CONFIG=$dir/docker CTRCOMPOSE_REGISTRIES=$dir/registries.json
	[ "${3:-}" = plain ] || printf '{"%s": {"ca": "%s/ca.pem"}}' "$REG" "$dir" >"$CTRCOMPOSE_REGISTRIES"
}

registry_login() {
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$REG" "$(printf user:secret | base64)" >"$DOCKER_CONFIG/config.json"
}

registry_close() {
	local pid
	for pid in "$BATS_FILE_TMPDIR"/*/pid; do kill "$(cat "$pid")"; done 2>/dev/null
	return 0
}
