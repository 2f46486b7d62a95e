<?php
// index.php - POST with choice=NAME votes, GET gives the result.
$db = new SQLite3('/var/lib/poll/votes.db');
$db->busyTimeout(5000);
$db->exec('CREATE TABLE IF NOT EXISTS votes (choice TEXT PRIMARY KEY, n INTEGER NOT NULL)');
header('Content-Type: application/json');

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
	$choice = trim($_POST['choice'] ?? '');
	if ($choice === '' || strlen($choice) > 64) {
		http_response_code(400);
		echo json_encode(['error' => "'choice' is missing or too long"]), "\n";
		exit;
	}
	$add = $db->prepare('INSERT INTO votes VALUES (?, 1) ON CONFLICT (choice) DO UPDATE SET n = n + 1');
	$add->bindValue(1, $choice);
	$add->execute();
}

$result = [];
$rows = $db->query('SELECT choice, n FROM votes ORDER BY choice');
while ($row = $rows->fetchArray(SQLITE3_ASSOC)) {
	$result[$row['choice']] = $row['n'];
}
echo json_encode((object)$result), "\n";
