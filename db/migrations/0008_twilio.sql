-- 0008_twilio: what Twilio's answers have stopped, and why.

-- While a row is open nothing is dialled that it is about. The claim looks here; rows are written
-- by db/stops.c alone.
CREATE TABLE twilio_stops (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	scope text NOT NULL CHECK (scope IN ('account', 'caller', 'country')),
	key text NOT NULL DEFAULT '',       -- the caller id, or the country's ISO code
	-- pause and account end when Twilio answers well again, the others by an operator.
	kind text NOT NULL CHECK (kind IN ('pause', 'account', 'setup', 'caller', 'country')),
	code int NOT NULL,                  -- Twilio's error
	reason text NOT NULL,               -- what happened and what to do
	detail text NOT NULL DEFAULT '',    -- Twilio's own words
	call_id bigint REFERENCES calls ON DELETE SET NULL, -- whose answer it was
	times int NOT NULL DEFAULT 1,       -- how often it was told
	since timestamptz NOT NULL DEFAULT now(),
	last_at timestamptz NOT NULL DEFAULT now(),
	probes int NOT NULL DEFAULT 0,
	probe_at timestamptz,               -- when Twilio is asked next
	ended_at timestamptz,
	ended_by text,                      -- 'probe', or the operator's name
	CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
	CHECK ((kind IN ('pause', 'account')) = (probe_at IS NOT NULL))
);
CREATE UNIQUE INDEX twilio_stops_open ON twilio_stops (scope, key) WHERE ended_at IS NULL;
CREATE INDEX twilio_stops_recent ON twilio_stops (ended_at) WHERE ended_at IS NOT NULL;

-- The numbers of a country that Twilio did not let us call, one after the other: one may be in a
-- range that is not allowed, several are their country. Ends with one that rings, or with the stop.
CREATE TABLE country_refusals (
	country text PRIMARY KEY,           -- ISO code
	numbers text[] NOT NULL
);

-- Errors that mean that the called number is bad, or not allowed; loaded at start from twilio/errors.c.
CREATE TABLE number_errors (
	first int PRIMARY KEY,
	last int NOT NULL
);

-- What each node last heard from Twilio.
CREATE TABLE twilio_health (
	node_id uuid PRIMARY KEY,
	answered_at timestamptz,            -- the newest answer that was no trouble of Twilio's
	error_at timestamptz,
	error_code int NOT NULL DEFAULT 0,
	error_text text NOT NULL DEFAULT '',
	reachable boolean                   -- null: nothing was asked yet
);
