CREATE TABLE herald_meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  min_reader INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  last_node INTEGER NOT NULL,
  seen_current INTEGER NOT NULL,
  seen_since_ms INTEGER NOT NULL,
  secret BLOB NOT NULL
) STRICT;
INSERT INTO herald_meta VALUES (1, 0, 0, 0, 0, 0, 0, zeroblob(16));
CREATE TABLE herald_node (
  id INTEGER PRIMARY KEY,
  slot INTEGER NOT NULL UNIQUE,
  host TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  pid INTEGER NOT NULL,
  joined_ms INTEGER NOT NULL,
  in_flight_path TEXT NOT NULL
) STRICT;
CREATE TABLE herald_event (
  id INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,
  state INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  delayed INTEGER NOT NULL,
  retried_ms INTEGER NOT NULL,
  key_hash INTEGER NOT NULL,
  holds_key INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  interrupted INTEGER NOT NULL,
  replays INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  event_type TEXT NOT NULL,
  source TEXT NOT NULL,
  event_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  last_error TEXT NOT NULL,
  attributes BLOB NOT NULL,
  data BLOB NOT NULL
) STRICT;
CREATE INDEX herald_event_ready ON herald_event (queue, delayed, due_ms, id)
  WHERE state = 0;
CREATE INDEX herald_event_retried ON herald_event (queue, retried_ms)
  WHERE state = 0 AND retried_ms <> 0;
CREATE INDEX herald_event_running ON herald_event (owner) WHERE state = 1;
CREATE UNIQUE INDEX herald_event_active ON herald_event (key_hash)
  WHERE key_hash <> 0 AND state <> 2;
CREATE INDEX herald_event_blocked ON herald_event (key_hash, id) WHERE state = 2;
CREATE TABLE herald_delivery (
  id INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  delayed INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  replays INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  delivery_id TEXT NOT NULL,
  url TEXT NOT NULL,
  origin TEXT NOT NULL,
  event_type TEXT NOT NULL,
  event_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  last_http_status INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  record BLOB NOT NULL
) STRICT;
CREATE INDEX herald_delivery_ready ON herald_delivery (delayed, due_ms, id)
  WHERE state = 0;
CREATE INDEX herald_delivery_running ON herald_delivery (owner) WHERE state = 1;
CREATE INDEX herald_delivery_active ON herald_delivery (origin) WHERE state <> 2;
CREATE INDEX herald_delivery_blocked ON herald_delivery (origin, id) WHERE state = 2;
CREATE TABLE herald_seen_0 (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE herald_seen_1 (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE herald_dead (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  queue TEXT NOT NULL,
  event_type TEXT NOT NULL,
  source TEXT NOT NULL,
  event_id TEXT NOT NULL,
  why TEXT NOT NULL,
  reason TEXT NOT NULL,
  path TEXT NOT NULL,
  offset INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  interrupted INTEGER NOT NULL,
  replays INTEGER NOT NULL,
  key_hash INTEGER NOT NULL,
  holds_key INTEGER NOT NULL,
  is_held INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  dead_ms INTEGER NOT NULL,
  delivery_id TEXT NOT NULL,
  url TEXT NOT NULL,
  origin TEXT NOT NULL,
  expires_ms INTEGER NOT NULL,
  last_http_status INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  attributes BLOB NOT NULL,
  data BLOB NOT NULL
) STRICT;
CREATE INDEX herald_dead_time ON herald_dead (dead_ms, id);
CREATE INDEX herald_dead_held ON herald_dead (key_hash) WHERE is_held = 1;
UPDATE herald_meta SET version = 1, min_reader = 1, last_id = 1887436800000001, secret = x'00112233445566778899aabbccddeeff';
INSERT INTO herald_event VALUES (1887436800000001, 'q', 0, 1800000000000, 0, 0, 0, 0, 0, 0, 0, 0, 'order_created', 'shop', '1', 1800000000000, 'application/json', '', x'', CAST('{}' AS BLOB));
