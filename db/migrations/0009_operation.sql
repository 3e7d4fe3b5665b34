-- 0009_operation: the gateways that share this database.

-- One row a DATA_DIR that ever ran here. A node that was not seen for a while is dead: others
-- take over its campaigns, calls and agents.
CREATE TABLE nodes (
	id uuid PRIMARY KEY,
	started_at timestamptz NOT NULL DEFAULT now(),
	seen_at timestamptz NOT NULL DEFAULT now(),
	hears boolean NOT NULL DEFAULT false, -- somebody reads its stream of events
	draining boolean NOT NULL DEFAULT false -- its agents get no new call
);
