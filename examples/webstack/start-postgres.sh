#!/bin/sh
# start-postgres.sh - a cluster with the database "app" on first use; then the server.
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
	rm -rf "$data.new"
	initdb -D "$data.new" --auth-local=peer --auth-host=scram-sha-256 >/dev/null
	echo "host app app all scram-sha-256" >>"$data.new/pg_hba.conf"
	{
		echo "CREATE ROLE app LOGIN PASSWORD '$(cat /run/secrets/db-password)';"
		echo
		echo "CREATE DATABASE app OWNER app;"
	} | postgres --single -D "$data.new" postgres >/dev/null
	mv "$data.new" "$data"
fi
exec postgres -D "$data" -c listen_addresses='*'
