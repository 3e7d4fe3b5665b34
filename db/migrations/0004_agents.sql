-- 0004_agents: how agents are reached, why they pause, and what they did when.

-- An agent without a row here has a SIP phone that is nailed up.
CREATE TABLE agent_endpoints (
	user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	type text NOT NULL CHECK (type IN ('sip', 'phone', 'browser')),
	number text CHECK (number ~ '^\+[1-9][0-9]{6,14}$'),
	nailed boolean NOT NULL DEFAULT true,  -- false: rung for each call, before the customer
	updated_at timestamptz NOT NULL DEFAULT now(),
	CHECK ((number IS NOT NULL) = (type = 'phone'))
);

-- What an agent may say when it pauses.
CREATE TABLE pause_reasons (
	type text NOT NULL CHECK (type IN ('break', 'auto_dial_pause', 'preview_pause')),
	reason text NOT NULL,
	position int NOT NULL,
	PRIMARY KEY (type, reason)
);
INSERT INTO pause_reasons (type, position, reason) VALUES
	('break', 1, 'break'), ('break', 2, 'lunch'), ('break', 3, 'toilet'),
	('break', 4, 'training'), ('break', 5, 'meeting'), ('break', 6, 'technical'),
	('break', 7, 'personal emergency'), ('break', 8, 'home time'), ('break', 9, 'other'),
	('auto_dial_pause', 11, 'need break'), ('auto_dial_pause', 12, 'system issue'),
	('auto_dial_pause', 13, 'call prep'), ('auto_dial_pause', 14, 'admin task'),
	('auto_dial_pause', 15, 'coaching'), ('auto_dial_pause', 16, 'personal call'),
	('auto_dial_pause', 17, 'other'),
	('preview_pause', 21, 'contact research'), ('preview_pause', 22, 'system slow'),
	('preview_pause', 23, 'call prep'), ('preview_pause', 24, 'need break'),
	('preview_pause', 25, 'supervisor help'), ('preview_pause', 26, 'technical'),
	('preview_pause', 27, 'other');

-- Each pause from its begin to its end. Those with a reason of our own have the type `system`.
CREATE TABLE pause_events (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id bigint NOT NULL REFERENCES users,
	session_id bigint NOT NULL REFERENCES agent_sessions ON DELETE CASCADE,
	campaign_id bigint REFERENCES campaigns,
	type text NOT NULL,
	reason text NOT NULL,
	comment text NOT NULL,
	started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	ended_at timestamptz
);
CREATE INDEX pause_events_user ON pause_events (user_id, id);
CREATE UNIQUE INDEX pause_events_open ON pause_events (session_id) WHERE ended_at IS NULL;

-- Append-only: every change of what an agent does, with the reason for its idle seconds. An
-- interval ends where the session's next row begins; `offline` is the last.
CREATE TABLE agent_state_log (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id bigint NOT NULL REFERENCES users,
	session_id bigint NOT NULL REFERENCES agent_sessions ON DELETE CASCADE,
	campaign_id bigint REFERENCES campaigns,
	call_id bigint,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	state text NOT NULL,
	reason text NOT NULL
);
CREATE INDEX agent_state_log_user ON agent_state_log (user_id, id);
CREATE INDEX agent_state_log_session ON agent_state_log (session_id, id);

CREATE FUNCTION agent_state_reason(s agent_sessions) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE s.state WHEN 'paused' THEN COALESCE(NULLIF(s.pause_reason, ''), 'other')
		WHEN 'ready' THEN 'waiting for a call' WHEN 'reserved' THEN 'call is being placed'
		WHEN 'on_call' THEN 'talking' WHEN 'wrap_up' THEN 'after the call'
		ELSE 'signed out' END
$$;

-- The one writer of both tables.
CREATE FUNCTION log_agent_state() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	chosen boolean;
BEGIN
	INSERT INTO agent_state_log (user_id, session_id, campaign_id, call_id, state, reason)
		VALUES (NEW.user_id, NEW.id, NEW.campaign_id, NEW.call_id, NEW.state,
			agent_state_reason(NEW));
	UPDATE pause_events SET ended_at = clock_timestamp()
		WHERE session_id = NEW.id AND ended_at IS NULL;
	IF NEW.state = 'paused' THEN
		chosen := EXISTS (SELECT 1 FROM pause_reasons r
			WHERE r.type = NEW.pause_type AND r.reason = NEW.pause_reason);
		INSERT INTO pause_events (user_id, session_id, campaign_id, type, reason, comment)
			VALUES (NEW.user_id, NEW.id, NEW.campaign_id,
				CASE WHEN chosen THEN NEW.pause_type ELSE 'system' END,
				agent_state_reason(NEW),
				CASE WHEN chosen THEN NEW.pause_comment ELSE '' END);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER agent_sessions_born AFTER INSERT ON agent_sessions
	FOR EACH ROW EXECUTE FUNCTION log_agent_state();
CREATE TRIGGER agent_sessions_state AFTER UPDATE ON agent_sessions FOR EACH ROW
	WHEN ((OLD.state, agent_state_reason(OLD)) IS DISTINCT FROM (NEW.state, agent_state_reason(NEW))
		OR NEW.state = 'paused' AND (OLD.pause_type, OLD.pause_comment)
			IS DISTINCT FROM (NEW.pause_type, NEW.pause_comment))
	EXECUTE FUNCTION log_agent_state();
