"""app.py - counts its visitors: fast in Redis, for good in PostgreSQL."""
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import redis


def database():
    with open("/run/secrets/db-password", encoding="utf-8") as f:
        return psycopg2.connect(os.environ["DATABASE"], password=f.read().strip())


def visit(who):
    count = redis.Redis(os.environ["REDIS"]).incr("visits")
    with database() as db, db.cursor() as cur:
        cur.execute("INSERT INTO visits (who) VALUES (%s)", (who,))
        cur.execute("SELECT count(*) FROM visits")
        return {"redis": count, "postgresql": cur.fetchone()[0]}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            body = {"ok": True}
        else:
            body = visit(self.headers.get("X-Forwarded-For", self.client_address[0]))
        text = json.dumps(body).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


with database() as first, first.cursor() as cursor:
    cursor.execute("CREATE TABLE IF NOT EXISTS visits (who text, at timestamptz DEFAULT now())")
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
