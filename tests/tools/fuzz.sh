#!/bin/sh
# fuzz.sh DIR SECONDS - run each fuzz target of DIR for SECONDS; stops at the first finding.
set -eu
for target in "$1"/*; do
	[ -f "$target" ] && [ -x "$target" ] || continue
	name=$(basename "$target")
	mkdir -p "$1/corpus/$name"
	seeds=
	[ -d "tests/fuzz/corpus/$name" ] && seeds=tests/fuzz/corpus/$name
	echo "fuzz $name for $2 s"
	# shellcheck disable=SC2086
	"$target" -max_total_time="$2" -rss_limit_mb=512 -timeout=5 -print_final_stats=0 -verbosity=0 \
		-artifact_prefix="$1/" "$1/corpus/$name" $seeds
done
echo "all fuzz targets ran clean"
