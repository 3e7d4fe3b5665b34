-- 0003_users: keys for programs, what a repeated request is answered, and who changed what.

-- A key acts for the user who made it, with a role of its own that is never above the user's.
-- Only the secret's SHA-256 is kept.
CREATE TABLE api_keys (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id bigint NOT NULL REFERENCES users,
	name text NOT NULL CHECK (name <> ''),
	role text NOT NULL CHECK (role IN ('admin', 'supervisor', 'agent')),
	secret_sha256 bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz,
	last_used_at timestamptz,     -- to the minute: not every request writes
	revoked_at timestamptz
);
CREATE INDEX api_keys_user ON api_keys (user_id, id) WHERE revoked_at IS NULL;

-- The first answer to a request with an Idempotency-Key. Until `status` is there the node that
-- executes the request holds the row; after `deadline_at` nobody knows what became of it, and
-- nobody does it again.
CREATE TABLE idempotency_keys (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	principal text NOT NULL,      -- u<user> or k<key>
	route text NOT NULL,          -- "POST /api/..." with :names
	key text NOT NULL,
	request_sha256 bytea NOT NULL,
	node_id uuid NOT NULL,
	deadline_at timestamptz NOT NULL,
	status int,
	body text,                    -- null with a status: had a secret in it
	expires_at timestamptz NOT NULL,
	UNIQUE (principal, route, key)
);
CREATE INDEX idempotency_keys_expired ON idempotency_keys (expires_at);
CREATE INDEX idempotency_keys_open ON idempotency_keys (node_id) WHERE status IS NULL;

-- Append-only: every request that changed something.
CREATE TABLE audit_log (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz(3) NOT NULL DEFAULT now(), -- as it is shown: what is found by it is there
	user_id bigint REFERENCES users,
	username text NOT NULL,
	key_id bigint REFERENCES api_keys,
	key_name text,
	role text NOT NULL,
	address text NOT NULL,
	method text NOT NULL,
	route text NOT NULL,          -- with :names
	status int NOT NULL,
	targets jsonb NOT NULL,       -- {"campaignId": "7"}
	fields jsonb NOT NULL         -- what the body set, without secrets
);
CREATE INDEX audit_log_user ON audit_log (user_id, id);
CREATE INDEX audit_log_route ON audit_log (route, id);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE FUNCTION audit_log_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER audit_log_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
	FOR EACH STATEMENT EXECUTE FUNCTION audit_log_keep();
