# layout.bash - OCI layouts as other tools write them: their layers can't be packed again bit by bit.

# layout_add FOLDER ROOT NAME [CONFIG]: one more image, of one layer; NAME is what its annotation says, CONFIG
# the JSON of its "config". Leaves the digest of the manifest in $DIGEST.
layout_add() {
	local blobs=$1/blobs/sha256 diff hex config
	mkdir -p "$blobs"
	tar --format=gnu -cf "$1/layer" -C "$2" .
	diff=$(sha256sum "$1/layer" | cut -d' ' -f1)
	gzip -n -f "$1/layer"
	hex=$(layout_blob "$1" "$1/layer.gz")
	jq -nc --arg diff "sha256:$diff" --argjson config "${4:-{\}}" --arg arch "$(dpkg --print-architecture)" \
		'{architecture: $arch, os: "linux", config: $config, rootfs: {type: "layers", diff_ids: [$diff]}}' >"$1/config"
	config=$(layout_blob "$1" "$1/config")
	jq -nc --arg config "sha256:$config" --argjson config_size "$(stat -c %s "$blobs/$config")" --arg layer "sha256:$hex" --argjson layer_size "$(stat -c %s "$blobs/$hex")" \
		'{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		  config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: $config_size},
		  layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: $layer, size: $layer_size}]}' >"$1/manifest"
	DIGEST=$(layout_blob "$1" "$1/manifest")
	[ -e "$1/index.json" ] || echo '{"schemaVersion": 2, "manifests": []}' >"$1/index.json"
	jq -c --arg digest "sha256:$DIGEST" --argjson size "$(stat -c %s "$blobs/$DIGEST")" --arg name "$3" \
		'.manifests += [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: $size}
		  + (if $name == "" then {} else {annotations: {"org.opencontainers.image.ref.name": $name}} end)]' "$1/index.json" >"$1/index.new"
	mv "$1/index.new" "$1/index.json"
	echo '{"imageLayoutVersion": "1.0.0"}' >"$1/oci-layout"
}

layout_blob() { # FOLDER FILE: it becomes a blob; prints its digest
	local hex
	hex=$(sha256sum "$2" | cut -d' ' -f1)
	mv "$2" "$1/blobs/sha256/$hex"
	echo "$hex"
}
