-- 0002_call_life: the one writer of calls.state and of what follows from it.

-- What a freed agent session falls into: what its owner asked for, if both legs are up.
CREATE FUNCTION session_rest_state(s agent_sessions) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN s.wants_ready AND s.phone_up AND s.twilio_up THEN 'ready'
		ELSE 'paused' END
$$;

-- Applies events to calls, each once, whatever order they come in. One statement for many
-- events: the arrays are one row per event. Returns every call that changed its state or has an
-- action waiting, so that the caller can do what must be done outside.
--
--   p_source, p_source_sid, p_sequence   what makes an event unique (sequence may be null)
--   p_leg_sid                            the customer leg's SID at Twilio; '' when not known
--   p_duration                           seconds, or null
CREATE FUNCTION apply_call_events(
	p_call bigint[], p_source text[], p_source_sid text[], p_sequence bigint[],
	p_event text[], p_at timestamptz[], p_leg_sid text[], p_duration int[], p_code int[],
	p_detail text[])
RETURNS TABLE (
	call_id bigint, old_state text, state text, outcome text, action text, leg_sid text,
	campaign_id bigint, entry_id bigint, entry_state text, contact_id bigint,
	agent_session_id bigint, session_state text, agent_id bigint, number text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	old_ids bigint[];
	old_states text[];
	fresh int[];       -- positions of new events, in order
	rounds int[];      -- the how-manieth event of its call each is
	round int;
BEGIN
	-- One order of locking for all callers.
	SELECT array_agg(l.id), array_agg(l.state) INTO old_ids, old_states
		FROM (SELECT c.id, c.state FROM calls c WHERE c.id = ANY (p_call)
			ORDER BY c.id FOR UPDATE) l;
	IF old_ids IS NULL THEN
		RETURN;
	END IF;

	-- A leg takes the first SID that is told of it; an event of another SID is not ours.
	UPDATE call_legs l SET provider_sid = i.sid
		FROM (SELECT DISTINCT ON (t.id) t.id, t.sid
			FROM unnest(p_call, p_leg_sid) AS t(id, sid) WHERE t.sid <> '') i
		WHERE l.call_id = i.id AND l.kind = 'customer' AND l.provider_sid IS NULL
			AND NOT EXISTS (SELECT 1 FROM call_legs o WHERE o.provider_sid = i.sid);

	WITH input AS (
		SELECT t.* FROM unnest(p_call, p_source, p_source_sid, p_sequence, p_event, p_at,
			p_leg_sid, p_detail) WITH ORDINALITY
			AS t(id, source, source_sid, sequence, event, at, sid, detail, ord)
		JOIN call_legs l ON l.call_id = t.id AND l.kind = 'customer'
		WHERE t.sid = '' OR t.sid = l.provider_sid
	), written AS (
		INSERT INTO call_events (call_id, source, source_sid, sequence, event, at, detail)
		SELECT id, source, source_sid, sequence, event, at, detail FROM input ORDER BY ord
		ON CONFLICT DO NOTHING
		RETURNING call_id, source, source_sid, sequence, event
	), new AS (
		SELECT DISTINCT ON (w.source, w.source_sid, w.sequence, w.event) i.id, i.ord
		FROM written w JOIN input i ON i.source = w.source
			AND i.source_sid = w.source_sid AND i.event = w.event
			AND i.sequence IS NOT DISTINCT FROM w.sequence AND i.id = w.call_id
	)
	SELECT array_agg(n.ord::int ORDER BY n.ord), array_agg(n.nth ORDER BY n.ord)
		INTO fresh, rounds
		FROM (SELECT ord, row_number() OVER (PARTITION BY id ORDER BY ord)::int AS nth
			FROM new) n;
	IF fresh IS NULL THEN
		RETURN;
	END IF;

	FOR round IN 1 .. (SELECT max(r) FROM unnest(rounds) r) LOOP
		UPDATE calls c SET
			state = COALESCE(e.next, c.state),
			outcome = CASE WHEN e.next = 'ended' THEN e.outcome ELSE c.outcome END,
			ringing_at = CASE WHEN e.event = 'ringing'
				THEN LEAST(c.ringing_at, e.at) ELSE c.ringing_at END,
			answered_at = CASE WHEN e.event IN ('answered', 'joined')
				THEN LEAST(c.answered_at, e.at)
				WHEN e.event = 'completed' THEN COALESCE(c.answered_at,
					e.at - make_interval(secs => COALESCE(e.duration, 0)))
				ELSE c.answered_at END,
			bridged_at = CASE WHEN e.event = 'joined'
				THEN LEAST(c.bridged_at, e.at) ELSE c.bridged_at END,
			ended_at = CASE WHEN e.next = 'ended' THEN e.at ELSE c.ended_at END,
			duration_s = COALESCE(c.duration_s, e.duration),
			error_code = COALESCE(e.code, c.error_code),
			error_text = CASE WHEN e.code IS NOT NULL THEN e.detail ELSE c.error_text END,
			was_ambiguous = c.was_ambiguous OR e.next = 'ambiguous',
			deadline_at = CASE WHEN e.next = 'ended' THEN NULL
				WHEN e.next IS NULL THEN c.deadline_at
				ELSE now() + make_interval(secs => COALESCE(e.check_s, e.after_s
					+ CASE WHEN e.plus_ring THEN c.ring_timeout_s ELSE 0 END)::float8)
				END,
			action = CASE
				WHEN e.next = 'ended' THEN NULL
				-- We had given it up, and now it lives: it must not.
				WHEN c.state = 'ended' AND c.outcome = 'unknown'
					AND e.event IN ('accepted', 'initiated', 'ringing', 'answered', 'joined')
					THEN 'hangup'
				ELSE COALESCE(e.action, c.action) END,
			action_due_at = CASE WHEN e.action IS NOT NULL
					OR (c.state = 'ended' AND c.outcome = 'unknown')
				THEN now() + interval '3 seconds' ELSE c.action_due_at END,
			action_done_at = CASE WHEN e.action IS NOT NULL
					OR (c.state = 'ended' AND c.outcome = 'unknown')
				THEN NULL ELSE c.action_done_at END
		FROM (SELECT t.id, t.event, t.at, t.duration, t.code, t.detail,
				tr.next, tr.outcome, tr.action, tr.check_s, d.after_s, d.plus_ring
			FROM unnest(p_call, p_event, p_at, p_duration, p_code, p_detail)
				WITH ORDINALITY AS t(id, event, at, duration, code, detail, ord)
			JOIN unnest(fresh, rounds) AS f(ord, nth) ON f.ord = t.ord AND f.nth = round
			JOIN calls k ON k.id = t.id
			LEFT JOIN call_transition tr ON tr.state = k.state AND tr.event = t.event
			LEFT JOIN call_deadline d ON d.state = tr.next) e
		WHERE c.id = e.id;
	END LOOP;

	-- The agent is on the call as soon as the customer is there.
	UPDATE agent_sessions s SET state = 'on_call', state_since = now(), hold_until = NULL
		FROM calls c
		WHERE c.id = ANY (old_ids) AND c.state IN ('answered', 'bridged')
			AND s.call_id = c.id AND s.state = 'reserved';

	-- What an ended call held is let go: agent, contact, entry.
	UPDATE agent_sessions s SET
			state = CASE WHEN c.answered_at IS NOT NULL AND k.wrap_up_s > 0 THEN 'wrap_up'
				ELSE session_rest_state(s) END,
			hold_until = CASE WHEN c.answered_at IS NOT NULL AND k.wrap_up_s > 0
				THEN now() + make_interval(secs => k.wrap_up_s) END,
			state_since = now(), call_id = NULL
		FROM calls c JOIN campaigns k ON k.id = c.campaign_id
		WHERE c.id = ANY (old_ids) AND c.state = 'ended' AND s.call_id = c.id
			AND s.state IN ('reserved', 'on_call');
	UPDATE contacts x SET locked_by = NULL, last_outcome = c.outcome
		FROM calls c
		WHERE c.id = ANY (old_ids) AND c.state = 'ended' AND x.id = c.contact_id
			AND x.locked_by = c.id;
	UPDATE queue_entries q SET
			state = CASE WHEN r.again AND q.attempts - u.n < k.max_attempts THEN 'pending'
				ELSE 'completed' END,
			attempts = q.attempts - u.n,
			outcome = c.outcome,
			run_at = CASE WHEN u.n = 1 THEN now() + interval '5 seconds'
				ELSE now() + make_interval(secs => k.retry_delay_s) END,
			completed_at = CASE WHEN r.again AND q.attempts - u.n < k.max_attempts THEN NULL
				ELSE now() END
		FROM calls c
		JOIN campaigns k ON k.id = c.campaign_id
		JOIN call_retry r ON r.outcome = c.outcome
		-- A call that was never sent is no attempt.
		CROSS JOIN LATERAL (SELECT (EXISTS (SELECT 1 FROM call_events e
			WHERE e.call_id = c.id AND e.event = 'unsent'))::int AS n) u
		WHERE c.id = ANY (old_ids) AND c.state = 'ended' AND q.id = c.entry_id
			AND q.state = 'dialing' AND q.dials = c.attempt;

	RETURN QUERY
		SELECT c.id, o.state, c.state, c.outcome,
			CASE WHEN c.action_done_at IS NULL THEN c.action END, l.provider_sid,
			c.campaign_id, c.entry_id, q.state, c.contact_id, c.agent_session_id, s.state,
			c.agent_id, c.number
		FROM unnest(old_ids, old_states) AS o(id, state)
		JOIN calls c ON c.id = o.id
		LEFT JOIN call_legs l ON l.call_id = c.id AND l.kind = 'customer'
		LEFT JOIN queue_entries q ON q.id = c.entry_id
		LEFT JOIN agent_sessions s ON s.id = c.agent_session_id
		WHERE c.state <> o.state OR (c.action IS NOT NULL AND c.action_done_at IS NULL);
END
$$;
