-- 0005_dialling: whom we must not call, from which numbers we may, and what a day has cost.

-- Numbers that are not called: by no campaign, or not by one.
CREATE TABLE dnc_numbers (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	number text NOT NULL CHECK (number ~ '^\+[1-9][0-9]{6,14}$'),
	campaign_id bigint REFERENCES campaigns,    -- null: the whole installation
	reason text NOT NULL DEFAULT '',
	source text NOT NULL CHECK (source IN ('operator', 'import', 'agent', 'caller')),
	added_by bigint REFERENCES users,           -- null: nobody who signed in
	created_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE NULLS NOT DISTINCT (number, campaign_id)
);

CREATE INDEX dnc_numbers_prefix ON dnc_numbers (number text_pattern_ops);

-- The account's own numbers, as Twilio listed them: those it rents, and verified ones of others.
CREATE TABLE numbers (
	number text PRIMARY KEY CHECK (number ~ '^\+[1-9][0-9]{6,14}$'),
	sid text NOT NULL,
	kind text NOT NULL CHECK (kind IN ('incoming', 'caller_id')),
	friendly_name text NOT NULL DEFAULT '',
	seen_at timestamptz NOT NULL DEFAULT now(),
	gone_at timestamptz                         -- the newest list does not have it
);

-- One row: when the list was last read as a whole. Before that nobody knows what we own.
CREATE TABLE number_sync (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	synced_at timestamptz,
	tried_at timestamptz,
	error text NOT NULL DEFAULT ''
);
INSERT INTO number_sync DEFAULT VALUES;

-- What a campaign has used of its limits, by the days of its time zone. Written by the claim and
-- by bill_ended_calls(), and the last row that either of them locks.
CREATE TABLE campaign_days (
	campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
	day date NOT NULL,
	calls int NOT NULL DEFAULT 0,
	minutes int NOT NULL DEFAULT 0,             -- of calls that have ended
	PRIMARY KEY (campaign_id, day)
) WITH (fillfactor = 50);
