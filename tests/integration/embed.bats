# examples/embed: a program of someone else's, through the umbrella header and the installed library.

load lib.bash

setup_file() {
	world_open
	export EMBED=$(dirname "$CTRCOMPOSE")/embed SOURCE=$PWD
}
teardown_file() { world_close; }
setup() {
	project_open
	cat >compose.yaml <<-YAML
		services:
		  one: {image: box, init: true}
		  two: {image: box, init: true, depends_on: [one]}
	YAML
}
teardown() { project_close; }

@test "it shows what up would do and does nothing" {
	run -0 "$EMBED" compose.yaml
	[[ "$output" == *"service one, image box"* ]]
	[[ "$output" == *"would do: Container t1-two-1 Started"* ]]
	machine_same
}

@test "it brings a project up and down; the program sees it as its own" {
	run -0 "$EMBED" compose.yaml up
	[[ "$output" == *"Container t2-two-1 Started"* ]]
	run -0 compose ps -q
	[ "${#lines[@]}" = 2 ]
	run -0 "$EMBED" compose.yaml down
	run -0 compose ls -q
	[ -z "$output" ]
	machine_same
}

@test "a bad file gives the place" {
	echo 'services: {one: {imag: box}}' >bad.yaml
	run -1 "$EMBED" bad.yaml up
	[[ "$output" == *"bad.yaml:1:18"* ]]
}

@test "what make install installs is enough to compile and link it" {
	make -s -C "$SOURCE" BUILD="$(dirname "$CTRCOMPOSE")" DESTDIR="$BATS_TEST_TMPDIR/d" PREFIX=/usr install >/dev/null
	export PKG_CONFIG_PATH=$BATS_TEST_TMPDIR/d/usr/lib/pkgconfig
	cc -std=gnu11 -D_GNU_SOURCE -o mine "$SOURCE/examples/embed/embed.c" \
		$(pkg-config --define-variable=prefix="$BATS_TEST_TMPDIR/d/usr" --static --cflags --libs ctrcompose)
	run -0 ./mine compose.yaml
	[[ "$output" == *"service two, image box"* ]]
	"$BATS_TEST_TMPDIR/d/usr/bin/ctrcompose" version --short
	rm mine
}
