// server.js - POST / with a text keeps it, GET / gives all of them.
'use strict';
const fs = require('fs');
const http = require('http');
const { Pool } = require('pg');

const pool = new Pool({ password: fs.readFileSync('/run/secrets/db-password', 'utf8').trim() });

function body(req) {
	return new Promise((resolve, reject) => {
		let text = '';
		req.on('data', (part) => {
			text += part;
			if (text.length > 65536) req.destroy(new Error('too long'));
		});
		req.on('end', () => resolve(text));
		req.on('error', reject);
	});
}

async function answer(req) {
	if (req.url === '/health') {
		await pool.query('SELECT 1');
		return [200, { ok: true }];
	}
	if (req.method === 'POST') {
		const { rows } = await pool.query('INSERT INTO notes (text) VALUES ($1) RETURNING id', [await body(req)]);
		return [201, rows[0]];
	}
	const { rows } = await pool.query('SELECT id, text FROM notes ORDER BY id');
	return [200, rows];
}

const server = http.createServer((req, res) => {
	answer(req).catch((e) => [500, { error: e.message }]).then(([status, value]) => {
		res.writeHead(status, { 'Content-Type': 'application/json' });
		res.end(JSON.stringify(value) + '\n');
	});
});

pool.query('CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text NOT NULL)').then(() => server.listen(3000));
process.on('SIGTERM', () => process.exit(0));
