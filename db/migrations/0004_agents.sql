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
		ELSE CASE WHEN s.pause_reason IN ('gateway node gone', 'gateway drained')
			THEN s.pause_reason ELSE 'signed out' END END
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

-- The queue entry of a number that somebody dials by hand: that of the contact, or of whoever has
-- the number in the campaign's lists, else of a new contact on a list of its own. `p_contact` must
-- be the campaign's. Null: it is not. `own`: it was not in the queue and would not have come there by
-- itself; its entry is for this one call.
CREATE FUNCTION dial_entry(p_campaign bigint, p_contact bigint, p_number text, p_name text,
	OUT entry bigint, OUT own boolean)
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	contact bigint;
	list bigint;
	by_hand CONSTANT text := 'Dialled by hand';
BEGIN
	own := false;
	-- One at a time for a number: two askers get the same contact and entry.
	PERFORM pg_advisory_xact_lock(hashtextextended(p_number, 7251664933));
	SELECT x.id INTO contact FROM contacts x JOIN data_lists l ON l.id = x.list_id
		WHERE x.phone = p_number AND l.campaign_id = p_campaign
			AND (p_contact IS NULL OR x.id = p_contact)
		ORDER BY EXISTS (SELECT 1 FROM queue_entries q WHERE q.contact_id = x.id
			AND q.campaign_id = p_campaign AND q.state IN ('pending', 'dialing')) DESC, x.id
		LIMIT 1;
	IF contact IS NULL AND p_contact IS NOT NULL THEN
		RETURN;
	END IF;
	IF contact IS NULL THEN
		PERFORM pg_advisory_xact_lock(hashtextextended('dialled ' || p_campaign, 7251664933));
		SELECT l.id INTO list FROM data_lists l
			WHERE l.campaign_id = p_campaign AND l.name = by_hand ORDER BY l.id LIMIT 1;
		IF list IS NULL THEN
			INSERT INTO data_lists (campaign_id, name) VALUES (p_campaign, by_hand)
				RETURNING id INTO list;
		END IF;
		INSERT INTO contacts (list_id, phone, first_name) VALUES (list, p_number, p_name)
			RETURNING id INTO contact;
	END IF;
	SELECT q.id INTO entry FROM queue_entries q WHERE q.campaign_id = p_campaign
		AND q.contact_id = contact AND q.state IN ('pending', 'dialing');
	IF entry IS NULL THEN
		-- A list's contact that was never in the queue only comes there before the others.
		own := NOT EXISTS (SELECT 1 FROM contacts x JOIN data_lists l ON l.id = x.list_id
				WHERE x.id = contact AND l.active AND l.name <> by_hand)
			OR EXISTS (SELECT 1 FROM queue_entries q
				WHERE q.contact_id = contact AND q.campaign_id = p_campaign);
		INSERT INTO queue_entries (campaign_id, contact_id, priority)
			VALUES (p_campaign, contact, CASE WHEN own THEN 1 ELSE 2 END)
			RETURNING id INTO entry;
	END IF;
END
$$;

-- An agent for a customer who is there already: of the call's campaign, and ready; who is connected
-- before who is to be rung, the longest idle first. The leg's first SID keeps the call, and the same
-- SID is told the same again. No row: the call is over, or another leg's. A row without a session:
-- nobody is free.
CREATE FUNCTION reserve_agent(p_call bigint, p_sid text, p_install text)
RETURNS TABLE (session_id bigint, conference text, label text, number text)
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	c calls;
	l call_legs;
	s agent_sessions;
BEGIN
	SELECT * INTO c FROM calls WHERE id = p_call FOR UPDATE;
	SELECT * INTO l FROM call_legs WHERE call_id = p_call AND kind = 'customer' FOR UPDATE;
	IF c.id IS NULL OR l.id IS NULL OR c.state = 'ended' OR l.provider_sid <> p_sid THEN
		RETURN;
	END IF;
	IF l.provider_sid IS NULL THEN
		UPDATE call_legs SET provider_sid = p_sid WHERE id = l.id;
	END IF;
	IF c.agent_session_id IS NULL THEN
		-- As the claim: of this campaign or of all that the agent is on, at a node that lives
		-- and is not being drained.
		SELECT * INTO s FROM agent_sessions a WHERE (a.campaign_id = c.campaign_id
				OR a.campaign_id IS NULL AND EXISTS (SELECT 1 FROM campaign_agents m
					WHERE m.campaign_id = c.campaign_id AND m.user_id = a.user_id))
			AND a.ended_at IS NULL AND a.state = 'ready'
			AND (a.kept_until IS NULL OR a.kept_until <= now())
			AND CASE WHEN a.nailed THEN a.phone_up AND a.twilio_up
				-- Only who calls us is let wait.
				ELSE c.direction = 'inbound' AND NOT EXISTS (SELECT 1 FROM call_legs o
					WHERE o.id = a.leg_id AND o.left_at IS NULL) END
			AND (a.node_id = c.node_id OR EXISTS (SELECT 1 FROM nodes n
				WHERE n.id = a.node_id AND n.seen_at > now() - interval '10 seconds'))
			AND a.node_id NOT IN (SELECT n.id FROM nodes n WHERE n.draining)
			ORDER BY a.nailed DESC, a.state_since, a.id LIMIT 1 FOR UPDATE SKIP LOCKED;
		IF s.id IS NULL THEN
			RETURN QUERY SELECT NULL::bigint, ''::text, l.label, c.number;
			RETURN;
		END IF;
		s.turn := s.turn + (NOT s.nailed)::int;
		c.conference := 'ovx-' || p_install || '-' || s.id || '-' || s.turn;
		c.agent_session_id := s.id;
		-- It rings for 25 s, and Twilio adds 5.
		UPDATE agent_sessions SET state = 'reserved', state_since = now(), call_id = c.id,
			turn = s.turn, hold_until = now() + interval '60 seconds', kept_until = NULL,
			away_until = now() + interval '30 seconds' WHERE id = s.id;
		UPDATE calls SET agent_session_id = s.id, agent_id = s.user_id,
			ring_first = NOT s.nailed, conference = c.conference WHERE id = c.id;
		UPDATE call_legs SET conference = c.conference WHERE id = l.id;
	END IF;
	RETURN QUERY SELECT c.agent_session_id, c.conference, l.label, c.number;
END
$$;

-- Somebody calls one of our numbers. The last campaign that called the number, if any, gets a call
-- for it: `ringing`, for reserve_agent(); the same SID gets the same call. Its minutes count in the
-- campaign's day, it is none of the day's calls. Null: we never called it, or a call with it is
-- open already.
CREATE FUNCTION inbound_call(p_sid text, p_from text, p_to text, p_node uuid, p_install text)
RETURNS bigint LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	made bigint;
	today date;
	last calls;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(p_from, 7251664932));
	SELECT l.call_id INTO made FROM call_legs l WHERE l.provider_sid = p_sid;
	IF made IS NOT NULL THEN
		RETURN made;
	END IF;
	SELECT * INTO last FROM calls c WHERE c.number = p_from AND c.counts
		ORDER BY c.placed_at DESC LIMIT 1;
	IF last.id IS NULL OR EXISTS (SELECT 1 FROM open_calls o
			WHERE o.number = p_from) THEN
		RETURN NULL;
	END IF;
	SELECT (now() AT TIME ZONE k.time_zone)::date INTO today
		FROM campaigns k WHERE k.id = last.campaign_id;
	INSERT INTO campaign_days (campaign_id, day) VALUES (last.campaign_id, today)
		ON CONFLICT DO NOTHING;
	INSERT INTO calls (campaign_id, contact_id, attempt, mode, direction, number, caller_id,
			conference, node_id, state, verdict_rule, verdict_version, ring_timeout_s,
			counts, day, ringing_at, deadline_at)
		VALUES (last.campaign_id, last.contact_id, 0, 'inbound', 'inbound', p_from, p_to, '',
			p_node, 'ringing', 'inbound', 0, 30, false, today, now(),
			now() + interval '15 seconds')
		RETURNING id INTO made;
	INSERT INTO call_legs (kind, call_id, label, conference, provider_sid)
		VALUES ('customer', made, 'ovx-' || p_install || '-in-' || made, '', p_sid);
	RETURN made;
END
$$;
