# docs.bats - pages made from tables are up to date, links lead somewhere.

load lib.bash
root=$BATS_TEST_DIRNAME/../..

@test "the man page and the page of supported keys are what the tables say (make docs)" {
	cd "$root"
	tests/tools/man.py "$CTRCOMPOSE" | diff docs/man/ctrcompose.1.scd -
	"$CTRCOMPOSE" config --support-page | diff docs/COMPOSE_SUPPORT.md -
	scdoc <docs/man/ctrcompose.1.scd >/dev/null
}

@test "the schema knows every key of a service and nothing else" {
	"$CTRCOMPOSE" config --schema >"$BATS_TEST_TMPDIR/schema"
	jq -e '.properties.services.additionalProperties.properties | has("image") and has("healthcheck") and has("volumes")' "$BATS_TEST_TMPDIR/schema"
	jq -e '.properties.services.additionalProperties.additionalProperties == false' "$BATS_TEST_TMPDIR/schema"
}

@test "links and paths in the documentation lead somewhere" {
	cd "$root"
	local page path
	for page in README.md CONTRIBUTING.md docs/*.md docs/design/*.md; do
		for path in $(grep -oE '`(docs|pkg|cmd|include|examples|tests|third_party)/[A-Za-z0-9_./-]*`' "$page" | tr -d '`'); do
			[ -e "$path" ] || { echo "$page: $path is not there"; false; }
		done
	done
}

@test "each command has a page of its own, which scdoc takes" {
	cd "$root"
	tests/tools/man.py "$CTRCOMPOSE" "$BATS_TEST_TMPDIR"
	for page in "$BATS_TEST_TMPDIR"/*.1.scd; do scdoc <"$page" >/dev/null; done
	[ -e "$BATS_TEST_TMPDIR/ctrcompose-up.1.scd" ]
	[ -e "$BATS_TEST_TMPDIR/ctrcompose-image-ls.1.scd" ]
	grep -qF abort-on-container-exit "$BATS_TEST_TMPDIR/ctrcompose-up.1.scd"
}
