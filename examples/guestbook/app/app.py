"""app.py - a guest book: POST / adds an entry, GET / shows them, newest first."""
import os

import redis
from flask import Flask, jsonify, request

app = Flask(__name__)
store = redis.Redis(os.environ["REDIS_HOST"], decode_responses=True)


@app.get("/health")
def health():
    store.ping()
    return jsonify(ok=True)


@app.get("/")
def entries():
    return jsonify(store.lrange("entries", 0, 99))


@app.post("/")
def add():
    text = request.form.get("text", "").strip()
    if not text:
        return jsonify(error="'text' is missing"), 400
    store.lpush("entries", text)
    return jsonify(entries=store.llen("entries")), 201
