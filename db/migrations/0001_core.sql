-- 0001_core: who may use the gateway, what is dialled, and the life of every call.
--
-- State columns hold CHECKed words and have one writer each: calls.state and what follows from
-- it is written by apply_call_events() (0002), agent_sessions.state by the functions of
-- db/sessions.c and by apply_call_events(), queue_entries.state by the claim and by
-- apply_call_events().

-- One row: the identity of this installation. Its id prefixes conference names and labels.
CREATE TABLE install (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	id text NOT NULL CHECK (id ~ '^[a-z0-9]{4,16}$'),
	created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	username text NOT NULL UNIQUE CHECK (username = lower(username)),
	name text NOT NULL,
	role text NOT NULL CHECK (role IN ('admin', 'supervisor', 'agent')),
	password_hash text NOT NULL,
	active boolean NOT NULL DEFAULT true,
	created_at timestamptz NOT NULL DEFAULT now()
);

-- Web sessions. The token itself is never stored.
CREATE TABLE sessions (
	id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	token_sha256 bytea PRIMARY KEY,
	user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

-- What an agent's phone must know. The password is not stored; HA1 is bound to SIP_REALM.
CREATE TABLE sip_accounts (
	user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	username text NOT NULL UNIQUE,
	ha1_md5 text NOT NULL,
	ha1_sha256 text NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now()
);

-- One phone an agent: the newest binding.
CREATE TABLE registrations (
	user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	contact text NOT NULL,
	source text NOT NULL,         -- ip:port that the REGISTER came from
	call_id text NOT NULL,
	cseq bigint NOT NULL,
	user_agent text NOT NULL,
	expires_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

CREATE TABLE campaigns (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL,
	description text NOT NULL DEFAULT '',
	state text NOT NULL DEFAULT 'draft'
		CHECK (state IN ('draft', 'active', 'paused', 'completed')),
	dial_method text NOT NULL DEFAULT 'progressive'
		CHECK (dial_method IN ('manual', 'preview', 'progressive')),
	caller_id text NOT NULL CHECK (caller_id ~ '^\+[1-9][0-9]{6,14}$'),
	auto_dial boolean NOT NULL DEFAULT false,   -- what the operator wants
	priority int NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9), -- 1 gets agents first
	weight int NOT NULL DEFAULT 10 CHECK (weight BETWEEN 1 AND 100),  -- share among equals
	batch_size int NOT NULL DEFAULT 5 CHECK (batch_size BETWEEN 1 AND 100),
	call_gap_ms int NOT NULL DEFAULT 3000 CHECK (call_gap_ms BETWEEN 0 AND 600000),
	batch_gap_ms int NOT NULL DEFAULT 10000 CHECK (batch_gap_ms BETWEEN 0 AND 3600000),
	ring_timeout_s int NOT NULL DEFAULT 30 CHECK (ring_timeout_s BETWEEN 5 AND 600),
	wrap_up_s int NOT NULL DEFAULT 10 CHECK (wrap_up_s BETWEEN 0 AND 3600),
	max_attempts int NOT NULL DEFAULT 3 CHECK (max_attempts BETWEEN 1 AND 100),
	max_attempts_24h int NOT NULL DEFAULT 3 CHECK (max_attempts_24h BETWEEN 1 AND 100),
	-- Per outcome, at the place that call_retry gives it; null: that table's default.
	retry_after_s int[],
	retry_max int[],
	-- Calling hours as dialer/hours.h writes them; '' is any time. Of the contact's zone, or
	-- of time_zone. Contacts whose zone nobody knows are in fallback_zone.
	hours text NOT NULL DEFAULT '',
	hours_zone text NOT NULL DEFAULT 'contact' CHECK (hours_zone IN ('contact', 'campaign')),
	time_zone text NOT NULL DEFAULT 'UTC',      -- its days begin at midnight there
	fallback_zone text NOT NULL DEFAULT '',
	record boolean NOT NULL DEFAULT false,
	announcement_text text NOT NULL DEFAULT '', -- said before a recording begins
	announcement_url text NOT NULL DEFAULT '',
	recording_days int NOT NULL DEFAULT 0       -- kept so long; 0: as RECORDING_DAYS says
		CHECK (recording_days BETWEEN 0 AND 36500),
	amd text NOT NULL DEFAULT 'off' CHECK (amd IN ('off', 'detect', 'hangup_machine')),
	script text NOT NULL DEFAULT '',            -- what the agent reads
	preview_s int NOT NULL DEFAULT 60 CHECK (preview_s BETWEEN 5 AND 3600),
	-- Money; 0 is no limit. Costs are estimated: started minutes times cost_per_minute.
	max_calls_day int NOT NULL DEFAULT 0 CHECK (max_calls_day >= 0),
	max_minutes_day int NOT NULL DEFAULT 0 CHECK (max_minutes_day >= 0),
	max_cost_day float8 NOT NULL DEFAULT 0 CHECK (max_cost_day >= 0),
	max_cost float8 NOT NULL DEFAULT 0 CHECK (max_cost >= 0),
	cost_per_minute float8 NOT NULL DEFAULT 0 CHECK (cost_per_minute >= 0),
	run_code text NOT NULL DEFAULT '',          -- why the runner dials or does not
	run_reason text NOT NULL DEFAULT '',        -- the same for people
	run_next_at timestamptz,                    -- until when, if it knows
	run_said bigint NOT NULL DEFAULT 0,         -- and when it said so, to keep the order
	archived_at timestamptz,                    -- deleted: hidden, its history is kept
	-- How often settings changed by which contacts that wait have their time, and of which of
	-- these changes they know; see db_queue_recheck().
	rechecks bigint NOT NULL DEFAULT 0,
	rechecked bigint NOT NULL DEFAULT 0,
	-- The node that runs it, by the database's clock.
	lease_node uuid,
	lease_until timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION want_recheck() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.rechecks := OLD.rechecks + 1;
	RETURN NEW;
END
$$;
CREATE TRIGGER campaigns_recheck BEFORE UPDATE ON campaigns FOR EACH ROW
	WHEN ((NEW.hours, NEW.hours_zone, NEW.time_zone, NEW.fallback_zone, NEW.max_attempts_24h)
		IS DISTINCT FROM
		(OLD.hours, OLD.hours_zone, OLD.time_zone, OLD.fallback_zone, OLD.max_attempts_24h))
	EXECUTE FUNCTION want_recheck();

CREATE TABLE campaign_agents (
	campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
	user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	PRIMARY KEY (campaign_id, user_id)
);

CREATE TABLE data_lists (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	campaign_id bigint REFERENCES campaigns,
	name text NOT NULL,
	active boolean NOT NULL DEFAULT true,
	-- Its share of the campaign's queue beside the campaign's other lists.
	blend_weight int NOT NULL DEFAULT 100 CHECK (blend_weight BETWEEN 1 AND 100),
	-- Of its numbers that do not tell theirs; ISO 3166, '': the campaign's caller ID tells.
	country text NOT NULL DEFAULT '' CHECK (country = '' OR country ~ '^[A-Z]{2}$'),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX data_lists_campaign ON data_lists (campaign_id);

-- A contact has no state: only a lock with an owner and an end, attempts, and its last outcome.
CREATE TABLE contacts (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	list_id bigint NOT NULL REFERENCES data_lists ON DELETE CASCADE,
	phone text NOT NULL CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
	first_name text NOT NULL DEFAULT '',
	last_name text NOT NULL DEFAULT '',
	email text NOT NULL DEFAULT '',
	country text NOT NULL DEFAULT '' CHECK (country = '' OR country ~ '^[A-Z]{2}$'), -- ISO 3166
	time_zone text NOT NULL DEFAULT '', -- IANA; '': those of the number
	custom jsonb NOT NULL DEFAULT '{}'
		CHECK (jsonb_typeof(custom) = 'object' AND octet_length(custom::text) <= 8192),
	attempts int NOT NULL DEFAULT 0,
	last_outcome text,
	last_attempt_at timestamptz,
	locked_by bigint,             -- the call that holds it
	import_id bigint,             -- what added it (0007), for its undo; null: by hand
	created_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 85);
-- A number stands once in a list; the operator class finds it by its first digits too.
CREATE UNIQUE INDEX contacts_number ON contacts (list_id, phone text_pattern_ops);
CREATE INDEX contacts_phone ON contacts (phone text_pattern_ops);
CREATE INDEX contacts_list ON contacts (list_id, id);
CREATE INDEX contacts_first_name ON contacts (list_id, lower(first_name) text_pattern_ops)
	WHERE first_name <> '';
CREATE INDEX contacts_last_name ON contacts (list_id, lower(last_name) text_pattern_ops)
	WHERE last_name <> '';
CREATE INDEX contacts_locked ON contacts (locked_by) WHERE locked_by IS NOT NULL;

-- Nobody counts a million contacts to show a list, and nobody waits for its row to change them: each
-- statement leaves what it changed, the sum is the count. Refers to no list, because that would be to
-- wait for whoever removes it; db_list_delete() takes its rows along.
CREATE TABLE list_counts (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	list_id bigint NOT NULL,
	change bigint NOT NULL
);
CREATE INDEX list_counts_list ON list_counts (list_id) INCLUDE (change);

CREATE FUNCTION count_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO list_counts (list_id, change)
		SELECT list_id, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
		FROM changed GROUP BY 1;
	RETURN NULL;
END
$$;

CREATE FUNCTION list_total(p_list bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT coalesce(sum(change), 0)::bigint FROM list_counts WHERE list_id = p_list
$$;

-- Puts one row in the place of a list's many. Two at once share the work.
CREATE FUNCTION fold_list_counts() RETURNS void LANGUAGE sql AS $$
	WITH many AS (SELECT list_id FROM list_counts GROUP BY 1 HAVING count(*) > 100),
		gone AS (DELETE FROM list_counts c USING many m WHERE c.list_id = m.list_id
			RETURNING c.list_id, c.change)
	INSERT INTO list_counts (list_id, change)
		SELECT list_id, sum(change) FROM gone GROUP BY 1
$$;

CREATE TRIGGER contacts_added AFTER INSERT ON contacts REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();
CREATE TRIGGER contacts_removed AFTER DELETE ON contacts REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();

CREATE TABLE queue_entries (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	campaign_id bigint NOT NULL,        -- queue_counts (0010) holds it to campaigns
	contact_id bigint NOT NULL REFERENCES contacts ON DELETE CASCADE,
	state text NOT NULL DEFAULT 'pending'
		CHECK (state IN ('pending', 'dialing', 'completed', 'skipped')),
	priority int NOT NULL DEFAULT 2     -- 1 is dialled first
		CHECK (priority BETWEEN 1 AND 9), -- few: the claim looks at one after the other
	run_at timestamptz NOT NULL DEFAULT now(),
	attempts int NOT NULL DEFAULT 0,    -- counted against max_attempts
	dials int NOT NULL DEFAULT 0,       -- calls ever made for it: names the next attempt
	dials_before int NOT NULL DEFAULT 0, -- those of them that no retry counts: it was put back since
	agent_id bigint REFERENCES users,   -- for this agent alone, until agent_until
	agent_until timestamptz,
	outcome text,
	reason text NOT NULL DEFAULT '',    -- a code: why it waits for run_at, or was skipped
	queued_at timestamptz NOT NULL DEFAULT now(),
	dialed_at timestamptz,
	completed_at timestamptz,
	CHECK ((agent_id IS NULL) = (agent_until IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
CREATE UNIQUE INDEX queue_entries_open ON queue_entries (campaign_id, contact_id)
	WHERE state IN ('pending', 'dialing');
CREATE INDEX queue_entries_next ON queue_entries (campaign_id, priority, run_at, id)
	WHERE state = 'pending' AND agent_id IS NULL;
CREATE INDEX queue_entries_owned ON queue_entries (campaign_id, agent_id, run_at)
	WHERE state = 'pending' AND agent_id IS NOT NULL;
CREATE INDEX queue_entries_owned_until ON queue_entries (agent_until)
	WHERE state = 'pending' AND agent_id IS NOT NULL;
CREATE INDEX queue_entries_dialing ON queue_entries (campaign_id) WHERE state = 'dialing';
CREATE INDEX queue_entries_page ON queue_entries (campaign_id, id);
CREATE INDEX queue_entries_contact ON queue_entries (contact_id, campaign_id);

-- One sign-in of an agent: nailed up at our edge, with a Twilio leg of its own life, or rung.
CREATE TABLE agent_sessions (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id bigint NOT NULL REFERENCES users,
	campaign_id bigint REFERENCES campaigns,    -- null: whatever the agent is assigned to
	node_id uuid NOT NULL,
	state text NOT NULL DEFAULT 'paused'
		CHECK (state IN ('offline', 'ready', 'reserved', 'on_call', 'wrap_up', 'paused')),
	state_since timestamptz NOT NULL DEFAULT now(),
	pause_reason text NOT NULL DEFAULT 'signed in',
	pause_type text NOT NULL DEFAULT 'system',  -- of pause_reasons, when the agent chose it
	pause_comment text NOT NULL DEFAULT '',
	wants_ready boolean NOT NULL DEFAULT false, -- ready as soon as the legs and the call allow
	phone_up boolean NOT NULL DEFAULT false,
	twilio_up boolean NOT NULL DEFAULT false,
	-- How the agent is reached, as it was at sign-in. Phones and browsers have one leg, at
	-- Twilio: phone_up and twilio_up are the same. Who is not nailed is rung for each call.
	endpoint text NOT NULL DEFAULT 'sip' CHECK (endpoint IN ('sip', 'phone', 'browser')),
	endpoint_number text CHECK ((endpoint_number IS NOT NULL) = (endpoint = 'phone')),
	nailed boolean NOT NULL DEFAULT true,
	leg_id bigint,                              -- the newest leg at Twilio
	renew_leg bigint,                           -- we end this one: a new one takes its place
	turn int NOT NULL DEFAULT 0,                -- conference: ovx-<install>-<session>-<turn>
	call_id bigint,                             -- the call that holds it
	hold_until timestamptz,                     -- of reserved and wrap_up
	away_until timestamptz,                     -- a customer is there, and a leg is down: until then
	kept_until timestamptz,                     -- until then only who names it gets it for a call
	port_phone int NOT NULL DEFAULT 0,          -- our RTP ports, kept over restarts
	port_twilio int NOT NULL DEFAULT 0,
	started_at timestamptz NOT NULL DEFAULT now(),
	ended_at timestamptz,
	version bigint NOT NULL DEFAULT 1,          -- goes up with every change
	CHECK ((state = 'offline') = (ended_at IS NOT NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX agent_sessions_open ON agent_sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX agent_sessions_campaign ON agent_sessions (campaign_id) WHERE ended_at IS NULL;
CREATE INDEX agent_sessions_away ON agent_sessions (node_id) WHERE away_until IS NOT NULL;

-- How long a customer waits for an agent whose phone or leg was lost: long enough for a phone to
-- register again, and for a leg to be made anew.
CREATE FUNCTION away_time() RETURNS interval LANGUAGE sql IMMUTABLE AS $$
	SELECT interval '20 seconds'
$$;

-- Whoever writes the row, and whatever it is that brought the agent away or back.
CREATE FUNCTION note_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.version := OLD.version + 1;
	NEW.away_until := CASE WHEN NEW.phone_up AND NEW.twilio_up THEN NULL
		WHEN NEW.state = 'on_call' THEN COALESCE(NEW.away_until, now() + away_time())
		-- reserve_agent() says how long it may ring.
		WHEN NEW.state = 'reserved' THEN NEW.away_until END;
	RETURN NEW;
END
$$;
CREATE TRIGGER agent_sessions_note BEFORE UPDATE ON agent_sessions
	FOR EACH ROW EXECUTE FUNCTION note_session();

-- The words of a call. A domain looks only at what is written, a CHECK at all of a row each time.
CREATE DOMAIN call_mode AS text CHECK (VALUE IN ('manual', 'auto', 'inbound'));
CREATE DOMAIN call_direction AS text CHECK (VALUE IN ('outbound', 'inbound'));
CREATE DOMAIN call_state AS text CHECK (VALUE IN ('claimed', 'placing', 'ambiguous', 'queued',
	'ringing', 'answered', 'bridged', 'ended'));
CREATE DOMAIN call_outcome AS text CHECK (VALUE IN ('completed', 'busy', 'no_answer', 'failed',
	'canceled', 'abandoned', 'machine', 'fax', 'unknown'));
CREATE DOMAIN call_action AS text CHECK (VALUE IN ('cancel', 'hangup'));

CREATE TABLE calls (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	campaign_id bigint NOT NULL REFERENCES campaigns,
	contact_id bigint REFERENCES contacts ON DELETE SET NULL,
	entry_id bigint REFERENCES queue_entries ON DELETE SET NULL,
	attempt int NOT NULL,
	agent_session_id bigint REFERENCES agent_sessions,
	agent_id bigint REFERENCES users,
	mode call_mode NOT NULL,
	direction call_direction NOT NULL DEFAULT 'outbound',
	-- Its agent is rung for it: `claimed` until it is there, or the caller waits.
	ring_first boolean NOT NULL DEFAULT false,
	own_entry boolean NOT NULL DEFAULT false, -- its entry is for it alone; see dial_entry()
	correlation text,             -- whoever asked for it calls it so
	number text NOT NULL,
	caller_id text NOT NULL,
	conference text NOT NULL,
	node_id uuid NOT NULL,
	state call_state NOT NULL,
	outcome call_outcome,
	error_code int,
	error_text text,
	-- The verdict that allowed it.
	verdict_rule text NOT NULL,
	verdict_version int NOT NULL,
	ring_timeout_s int NOT NULL,
	placed_at timestamptz NOT NULL DEFAULT now(),
	ringing_at timestamptz,
	answered_at timestamptz,
	bridged_at timestamptz,
	ended_at timestamptz,
	duration_s int,
	answered_by text,             -- as the answering machine detection said
	counts boolean NOT NULL DEFAULT true, -- false: it surely never left, nobody was called
	day date,                     -- of campaign_days, where it is counted
	billed_minutes int,           -- started ones, when it has ended
	was_ambiguous boolean NOT NULL DEFAULT false,
	-- Every state but `ended` has a moment at which the sweeper asks what became of the call.
	deadline_at timestamptz,
	-- What must be done outside because of the last transition; done once, or by the sweeper.
	action call_action,
	action_due_at timestamptz,
	action_done_at timestamptz,
	events_gone boolean NOT NULL DEFAULT false, -- forget_call_events() was there
	CHECK (NOT events_gone OR state = 'ended'),
	CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
	CHECK ((state = 'ended') = (outcome IS NOT NULL))
) WITH (fillfactor = 70);
-- One call per attempt at an entry.
CREATE UNIQUE INDEX calls_entry_attempt ON calls (entry_id, attempt);
CREATE UNIQUE INDEX calls_correlation ON calls (correlation) WHERE correlation IS NOT NULL;
CREATE INDEX calls_action ON calls (action_due_at)
	WHERE action IS NOT NULL AND action_done_at IS NULL;
CREATE INDEX calls_campaign ON calls (campaign_id, id);
-- For people who look for calls, newest first; see db_call_page().
CREATE INDEX calls_of_agent ON calls (agent_id, id);
CREATE INDEX calls_of_contact ON calls (contact_id, id);
CREATE INDEX calls_of_number ON calls (number, id);
CREATE INDEX calls_placed ON calls (placed_at);
CREATE INDEX calls_with_events ON calls (placed_at, id) WHERE NOT events_gone;

-- The calls that have not ended; law 1: at most one per number. Kept apart, because no index of
-- calls then looks at what changes during a call, and none is written when its row is.
CREATE TABLE open_calls (
	call_id bigint PRIMARY KEY,   -- of calls, which are never deleted
	number text NOT NULL UNIQUE,
	campaign_id bigint NOT NULL
);
CREATE INDEX open_calls_campaign ON open_calls (campaign_id);

CREATE FUNCTION open_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO open_calls (call_id, number, campaign_id)
		VALUES (NEW.id, NEW.number, NEW.campaign_id);
	RETURN NULL;
END
$$;
CREATE TRIGGER calls_open AFTER INSERT ON calls
	FOR EACH ROW WHEN (NEW.state <> 'ended') EXECUTE FUNCTION open_call();

-- Runs with what apply_call_events() has set.
CREATE FUNCTION close_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM open_calls WHERE call_id = NEW.id;
	RETURN NULL;
END
$$;
CREATE TRIGGER calls_close AFTER UPDATE ON calls
	FOR EACH ROW WHEN (NEW.state = 'ended' AND OLD.state <> 'ended') EXECUTE FUNCTION close_call();

-- A leg at Twilio: the customer of a call, or an agent session's own leg of one turn.
CREATE TABLE call_legs (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL CHECK (kind IN ('customer', 'agent')),
	call_id bigint REFERENCES calls ON DELETE CASCADE,
	agent_session_id bigint REFERENCES agent_sessions,
	turn int NOT NULL DEFAULT 0,
	token text UNIQUE,            -- one-time, of agent legs
	label text NOT NULL UNIQUE,   -- participantLabel
	conference text NOT NULL,
	provider_sid text UNIQUE,
	joined_at timestamptz,
	left_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	CHECK ((kind = 'customer') = (call_id IS NOT NULL))
);
CREATE INDEX call_legs_call ON call_legs (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX call_legs_session ON call_legs (agent_session_id, turn)
	WHERE agent_session_id IS NOT NULL;

-- Append-only: what we were told, once each. Order holds within (source, source_sid). Those of
-- calls that ended long ago are deleted (0011). Calls are never deleted, and whoever writes here has
-- found the call, most of them locked it: a foreign key would only ask a second time, at each event.
CREATE TABLE call_events (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	call_id bigint NOT NULL,      -- of calls
	source text NOT NULL CHECK (source IN ('call', 'conference', 'rest', 'gateway', 'recording',
		'amd')),
	source_sid text NOT NULL,
	sequence bigint,
	event text NOT NULL,
	at timestamptz NOT NULL,
	received_at timestamptz NOT NULL DEFAULT now(),
	detail text
);
-- Twilio numbers what it tells of a call; what has no number is told once. Finds a call's events, too.
CREATE UNIQUE INDEX call_events_once ON call_events
	(call_id, source, source_sid, COALESCE(sequence::text, event));

-- Dialogs that a restarted worker takes up again.
CREATE TABLE sip_dialogs (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	agent_session_id bigint NOT NULL REFERENCES agent_sessions ON DELETE CASCADE,
	side text NOT NULL CHECK (side IN ('phone', 'twilio')),
	leg_id bigint REFERENCES call_legs,   -- of the twilio side
	call_id text NOT NULL,
	local_uri text NOT NULL,
	local_tag text NOT NULL,
	remote_uri text NOT NULL,
	remote_tag text NOT NULL,
	remote_target text NOT NULL,
	routes text NOT NULL,
	next_hop text NOT NULL,
	local_seq bigint NOT NULL,
	remote_seq bigint NOT NULL,
	local_sdp text NOT NULL,
	remote_sdp text NOT NULL,
	media_remote text NOT NULL DEFAULT '', -- ip:port the relay settled on
	created_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (agent_session_id, side)
);

-- The state table of calls; loaded at start from gateway/call_table.c, the only source.
CREATE TABLE call_transition (
	state text NOT NULL,
	event text NOT NULL,
	next text NOT NULL,
	outcome text,
	action text,
	check_s float8,               -- how long a call may stay there before the sweeper asks
	plus_ring boolean NOT NULL,   -- and the campaign's ring time-out on top
	PRIMARY KEY (state, event),
	CHECK ((next = 'ended') = (outcome IS NOT NULL)),
	CHECK ((next = 'ended') = (check_s IS NULL))
);

-- How an outcome is tried again when the campaign does not say it; from dialer/retry.c.
CREATE TABLE call_retry (
	outcome text PRIMARY KEY,
	place int NOT NULL,           -- in campaigns.retry_*, from 1
	after_s int NOT NULL,
	max int NOT NULL
);

-- Calls per second are the account's: one bucket for all nodes.
CREATE TABLE account_rate (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	per_second numeric NOT NULL CHECK (per_second > 0), -- now
	most_per_second numeric NOT NULL,                   -- TWILIO_CPS
	tokens numeric NOT NULL,
	filled_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now(),      -- per_second was, by db_rate_*()
	slow_calls bigint NOT NULL DEFAULT 0                -- that Twilio queued, ever
);
INSERT INTO account_rate (per_second, most_per_second, tokens) VALUES (1, 1, 1);
