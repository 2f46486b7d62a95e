#!/bin/sh
# start.sh - a cluster with the database "notes" on first use; then the server.
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
	rm -rf "$data.new"
	initdb -D "$data.new" --auth-local=peer --auth-host=scram-sha-256 >/dev/null
	echo "host notes notes all scram-sha-256" >>"$data.new/pg_hba.conf"
	{
		echo "CREATE ROLE notes LOGIN PASSWORD '$(cat /run/secrets/db-password)';"
		echo
		echo "CREATE DATABASE notes OWNER notes;"
	} | postgres --single -D "$data.new" postgres >/dev/null
	mv "$data.new" "$data"
fi
exec postgres -D "$data" -c listen_addresses='*'
