-- 0002_call_life: the one writer of calls.state and of what follows from it.

-- Whether a call can be had: both legs are up, or they are rung up for each call.
CREATE FUNCTION session_reachable(nailed boolean, phone_up boolean, twilio_up boolean)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT NOT nailed OR phone_up AND twilio_up
$$;

-- What a freed agent session falls into: what its owner asked for, if it can be reached.
CREATE FUNCTION session_rest_state(s agent_sessions) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN s.wants_ready AND session_reachable(s.nailed, s.phone_up, s.twilio_up)
		THEN 'ready' ELSE 'paused' END
$$;

-- And why it is not ready, for people.
CREATE FUNCTION session_rest_reason(s agent_sessions) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN NOT s.wants_ready THEN s.pause_reason
		WHEN NOT session_reachable(s.nailed, s.phone_up, s.twilio_up)
			THEN 'waiting for the phone' ELSE '' END
$$;

-- The functions below touch few rows of large tables, always by an index. Their plans are made
-- once a connection, perhaps while the tables are still empty: hence the settings.

-- Counts what calls took of the campaign's day when they end: started minutes, as Twilio bills
-- them. A call that never left gives its place back. The days' rows are locked in one order.
CREATE FUNCTION bill_ended_calls(p_call bigint[], p_unsent bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	PERFORM 1 FROM (SELECT DISTINCT c.campaign_id, c.day FROM calls c
			WHERE c.id = ANY (p_call)) x
		JOIN campaign_days d ON d.campaign_id = x.campaign_id AND d.day = x.day
		ORDER BY d.campaign_id, d.day FOR UPDATE OF d;
	UPDATE campaign_days d SET minutes = d.minutes + s.minutes, calls = d.calls - s.unsent
		FROM (SELECT c.campaign_id, c.day, sum(c.billed_minutes) AS minutes,
				count(*) FILTER (WHERE c.id = ANY (p_unsent)) AS unsent
			FROM calls c WHERE c.id = ANY (p_call) GROUP BY c.campaign_id, c.day) s
		WHERE d.campaign_id = s.campaign_id AND d.day = s.day;
END
$$;

-- What ended calls held is let go: agent, contact, entry. Harmless for calls that are open, and
-- when repeated. p_just: those of them that ended in this transaction, which are counted.
CREATE FUNCTION release_ended_calls(p_call bigint[], p_just bigint[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	ended bigint[];
	unsent bigint[];   -- those of them that surely rang nowhere: no attempt
	disposed bigint[];
	recorded bigint[];
	controlled bigint[];
	counted bigint[];
	queued bigint[];   -- those that came from a queue
	promised bigint[]; -- those whose contact somebody will call back
BEGIN
	SELECT array_agg(c.id), array_agg(c.id) FILTER (WHERE c.never_left),
			array_agg(c.id) FILTER (WHERE EXISTS (SELECT 1 FROM call_dispositions d
				WHERE d.call_id = c.id)),
			array_agg(c.id) FILTER (WHERE EXISTS (SELECT 1 FROM recordings r
				WHERE r.call_id = c.id)),
			array_agg(c.id) FILTER (WHERE EXISTS (SELECT 1 FROM leg_controls t
				WHERE t.call_id = c.id)),
			array_agg(c.id) FILTER (WHERE c.id = ANY (p_just)
				AND (c.never_left OR c.day IS NOT NULL AND c.billed_minutes > 0)),
			array_agg(c.id) FILTER (WHERE c.entry_id IS NOT NULL),
			array_agg(c.id) FILTER (WHERE EXISTS (SELECT 1 FROM callbacks b
				WHERE b.contact_id = c.contact_id AND b.state IN ('pending', 'missed')))
		INTO ended, unsent, disposed, recorded, controlled, counted, queued, promised
		FROM (SELECT c.id, c.entry_id, c.contact_id, c.day, c.billed_minutes,
			NOT EXISTS (SELECT 1 FROM call_legs l
				WHERE l.call_id = c.id AND l.provider_sid IS NOT NULL)
			AND (EXISTS (SELECT 1 FROM call_events e
					WHERE e.call_id = c.id AND e.event = 'unsent')
				-- Its agent was rung first, and never was there.
				OR c.ring_first AND NOT EXISTS (SELECT 1 FROM call_events e
					WHERE e.call_id = c.id AND e.event = 'agent_joined'))
			-- Cancelled in Twilio's queue: its answer to the request said that it waits.
			-- One that we found still queued later may have been dialled unheard.
			OR c.outcome = 'canceled' AND EXISTS (SELECT 1 FROM call_events e
					JOIN call_events a ON a.call_id = e.call_id AND a.at = e.at
					WHERE e.call_id = c.id AND e.event = 'slow'
						AND a.event = 'accepted')
				AND NOT EXISTS (SELECT 1 FROM call_events e WHERE e.call_id = c.id
					AND e.event IN ('initiated', 'ringing', 'answered', 'joined'))
				AS never_left
			FROM calls c WHERE c.id = ANY (p_call) AND c.state = 'ended') c;
	IF ended IS NULL THEN
		RETURN;
	END IF;
	unsent := COALESCE(unsent, '{}');
	IF unsent <> '{}' THEN
		UPDATE calls SET counts = false WHERE id = ANY (p_just) AND id = ANY (unsent);
	END IF;

	-- Whoever talked has work to note down. A completed call was answered even when that
	-- news is still under way.
	UPDATE agent_sessions s SET
			state = CASE WHEN w.wrap THEN 'wrap_up' WHEN w.missing THEN 'paused'
				ELSE session_rest_state(s) END,
			pause_reason = CASE WHEN w.wrap THEN s.pause_reason
				WHEN w.missing THEN 'did not answer' ELSE session_rest_reason(s) END,
			wants_ready = s.wants_ready AND NOT w.missing,
			hold_until = CASE WHEN w.wrap
				THEN now() + make_interval(secs => w.wrap_up_s) END,
			state_since = now(), call_id = NULL
		FROM (SELECT c.id, c.agent_session_id, k.wrap_up_s, k.wrap_up_s > 0
				AND c.outcome NOT IN ('machine', 'fax', 'abandoned')
				AND (c.answered_at IS NOT NULL OR c.outcome = 'completed') AS wrap,
				c.ring_first AND EXISTS (SELECT 1 FROM call_events e
					WHERE e.call_id = c.id AND e.event = 'agent_missing')
				AND NOT EXISTS (SELECT 1 FROM call_events e
					WHERE e.call_id = c.id AND e.event = 'agent_joined') AS missing
			FROM calls c JOIN campaigns k ON k.id = c.campaign_id
			WHERE c.id = ANY (ended)) w
		WHERE s.id = w.agent_session_id AND s.call_id = w.id AND s.ended_at IS NULL
			AND s.state IN ('reserved', 'on_call');

	-- One that somebody has just now, such as a long upload, is left to the sweep: nobody's news waits.
	WITH free AS MATERIALIZED (
		SELECT y.id FROM calls d JOIN contacts y ON y.id = d.contact_id AND y.locked_by = d.id
			WHERE d.id = ANY (ended) ORDER BY y.id FOR NO KEY UPDATE OF y SKIP LOCKED
	)
	UPDATE contacts x SET locked_by = NULL,
			last_outcome = CASE WHEN c.id = ANY (unsent) THEN x.last_outcome
				ELSE c.outcome END,
			attempts = x.attempts - (c.id = ANY (unsent))::int
		FROM calls c, free f
		WHERE c.id = ANY (ended) AND x.id = f.id AND x.id = c.contact_id
			AND x.locked_by = c.id;

	IF queued IS NOT NULL THEN
		UPDATE queue_entries q SET
				state = CASE WHEN e.bad OR e.given_up THEN 'skipped'
					WHEN e.again THEN 'pending' ELSE 'completed' END,
				attempts = q.attempts - e.unsent::int,
				outcome = CASE WHEN e.unsent THEN q.outcome ELSE e.outcome END,
				reason = CASE WHEN e.bad THEN 'refused' WHEN e.given_up THEN 'by_hand'
					-- Unless the rules have spoken when its agent was there: db_call_go().
					WHEN e.unsent THEN COALESCE(NULLIF(q.reason, ''), 'unsent')
					WHEN e.again THEN 'retry' ELSE '' END,
				-- Who was called before its time and did not answer is due then.
				run_at = GREATEST(now() + CASE WHEN e.unsent THEN interval '5 seconds'
						ELSE make_interval(secs => e.after_s) END,
					CASE WHEN e.unsent OR e.outcome = 'canceled' THEN q.run_at END),
				completed_at = CASE WHEN e.again AND NOT e.bad THEN NULL ELSE now() END
			FROM (SELECT c.entry_id, c.attempt, c.outcome, c.id = ANY (unsent) AS unsent,
					-- Twilio knows that it cannot be called: no other attempt.
					c.outcome = 'failed' AND EXISTS (SELECT 1 FROM number_errors n
						WHERE c.error_code BETWEEN n.first AND n.last) AS bad,
					COALESCE(k.retry_after_s[r.place], r.after_s, 0) AS after_s,
					-- What was not in the queue is not kept for auto-dial.
					c.own_entry AND (c.id = ANY (unsent)
						OR c.outcome = 'canceled') AS given_up,
					NOT c.own_entry AND (c.id = ANY (unsent)
						OR p.attempts < k.max_attempts AND s.so_far
						<= COALESCE(k.retry_max[r.place], r.max, 0)) AS again
				FROM calls c JOIN queue_entries p ON p.id = c.entry_id
				JOIN campaigns k ON k.id = p.campaign_id
				LEFT JOIN call_retry r ON r.outcome = c.outcome
				CROSS JOIN LATERAL (SELECT count(*) AS so_far FROM calls o
					WHERE o.entry_id = c.entry_id AND o.outcome = c.outcome AND o.counts
						AND o.attempt > p.dials_before) s
				WHERE c.id = ANY (queued)) e
			WHERE q.id = e.entry_id AND q.state = 'dialing' AND q.dials = e.attempt;
	END IF;
	IF disposed IS NOT NULL THEN
		PERFORM settle_dispositions(disposed);
	END IF;
	IF promised IS NOT NULL THEN
		PERFORM settle_callbacks(promised, unsent);
	END IF;
	IF recorded IS NOT NULL THEN
		PERFORM settle_recordings(recorded);
	END IF;
	IF controlled IS NOT NULL THEN
		PERFORM settle_controls(controlled);
	END IF;
	IF counted IS NOT NULL THEN
		PERFORM bill_ended_calls(counted, unsent);
	END IF;
END
$$;

-- Applies events to calls, each once, whatever order they come in. One statement for many
-- events: the arrays are one row per event. Returns every call that changed its state or has an
-- action waiting, so that the caller can do what must be done outside.
--
--   p_source, p_source_sid, p_sequence   what makes an event unique (sequence may be null)
--   p_at                                 milliseconds since 1970
--   p_leg_sid                            the customer leg's SID at Twilio; '' when not known
--   p_duration                           seconds, or null
--   p_round                              the how-manieth of its call it is here, from 1; nothing
--                                        that is unique may be here twice
--
-- Times of ringing, answer and bridge are taken from late events too: the earliest counts. Twilio's
-- are whole seconds: none is before the call was placed.
CREATE FUNCTION apply_call_events(
	p_call bigint[], p_source text[], p_source_sid text[], p_sequence bigint[],
	p_event text[], p_at bigint[], p_leg_sid text[], p_duration int[], p_code int[],
	p_detail text[], p_round int[] DEFAULT '{1}')
RETURNS TABLE (
	call_id bigint, old_state text, state text, outcome text, action text, leg_sid text,
	campaign_id bigint, entry_id bigint, entry_state text, contact_id bigint,
	agent_session_id bigint, session_state text, agent_id bigint, number text,
	controls_due boolean)
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
	old_ids bigint[];
	old_states text[];
	legs text[];       -- SIDs of their customers' legs, '' when nobody has told it yet
	nameless boolean;  -- there are such
	most int;          -- rounds
	-- Calls, after one of the rounds:
	heard bigint[];    -- something of them was new
	talking bigint[];  -- their customer is there
	bridged bigint[];
	over bigint[];
	just_over bigint[];
	late bigint[];     -- of those that are over, what a machine has answered
BEGIN
	-- One order of locking for all callers.
	SELECT array_agg(k.id), array_agg(k.state), array_agg(k.leg), bool_or(k.leg = '')
		INTO old_ids, old_states, legs, nameless
		FROM (SELECT c.id, c.state, CASE WHEN l.id IS NOT NULL
				THEN COALESCE(l.provider_sid, '') END AS leg FROM calls c
			LEFT JOIN call_legs l ON l.call_id = c.id AND l.kind = 'customer'
			WHERE c.id = ANY (p_call) AND NOT c.events_gone
			ORDER BY c.id FOR UPDATE OF c) k;
	IF old_ids IS NULL THEN
		RETURN;
	END IF;
	most := (SELECT max(r) FROM unnest(p_round) r);

	-- A leg takes the first SID that is told of it; an event of another SID is not ours.
	IF nameless THEN
		UPDATE call_legs l SET provider_sid = i.sid
			FROM (SELECT DISTINCT ON (f.sid) f.id, f.sid
				FROM (SELECT DISTINCT ON (t.id) t.id, t.sid, t.ord
					FROM unnest(p_call, p_leg_sid) WITH ORDINALITY AS t(id, sid, ord)
					WHERE t.sid <> '' AND t.id = ANY (old_ids)
					ORDER BY t.id, t.ord) f
				ORDER BY f.sid, f.ord) i
			WHERE l.call_id = i.id AND l.kind = 'customer' AND l.provider_sid IS NULL
				AND NOT EXISTS (SELECT 1 FROM call_legs o WHERE o.provider_sid = i.sid);
		SELECT array_agg(CASE WHEN l.id IS NOT NULL THEN COALESCE(l.provider_sid, '') END
				ORDER BY o.ord) INTO legs
			FROM unnest(old_ids) WITH ORDINALITY AS o(id, ord)
			LEFT JOIN call_legs l ON l.call_id = o.id AND l.kind = 'customer';
	END IF;

	-- What was told before is known for sure: the calls are locked, and what else is written of them
	-- (recordings, holds) has keys of its own. To ask first costs less than ON CONFLICT. Each round
	-- sees what the one before has written.
	FOR nth IN 1 .. most LOOP
		WITH input AS MATERIALIZED (
			SELECT t.*, k.state AS was, k.outcome AS was_outcome, k.answered_by, k.error_code,
				k.campaign_id, h.later
			FROM unnest(p_call, p_source, p_source_sid, p_sequence, p_event, p_at, p_leg_sid,
				p_duration, p_code, p_detail, p_round) AS t(id, source, source_sid,
				sequence, event, at_ms, sid, duration, code, detail, round)
			JOIN calls k ON k.id = t.id
			CROSS JOIN LATERAL (SELECT legs[array_position(old_ids, t.id)] AS leg) o
			CROSS JOIN LATERAL (SELECT
					COALESCE(bool_or(COALESCE(e.sequence::text, e.event)
						= COALESCE(t.sequence::text, t.event)), false) AS told,
					-- Its source has already told of something later: too late to decide.
					COALESCE(bool_or(e.sequence > t.sequence), false) AS later
				FROM call_events e WHERE e.call_id = t.id AND e.source = t.source
					AND e.source_sid = t.source_sid) h
			WHERE t.round = nth AND (t.sid = '' AND o.leg IS NOT NULL OR t.sid = o.leg)
				AND NOT h.told
		), written AS (
			INSERT INTO call_events (call_id, source, source_sid, sequence, event, at, detail)
			SELECT id, source, source_sid, sequence, event, to_timestamp(at_ms / 1000.0::float8),
				detail FROM input
		), news AS (
			SELECT i.id, i.was, i.source, i.event, to_timestamp(i.at_ms / 1000.0::float8) AS at,
				i.duration, i.code, i.detail, tr.next, tr.outcome, tr.check_s, tr.plus_ring,
				-- What picked up was no person, and the campaign wants no such calls.
				CASE WHEN i.answered_by ~ '^(machine|fax)' AND (SELECT g.amd
						FROM campaigns g WHERE g.id = i.campaign_id) = 'hangup_machine'
					THEN substring(i.answered_by FROM '^(machine|fax)') END AS machine,
				-- The end's own code is the one that people see, else the first.
				i.code IS NOT NULL AND (tr.next = 'ended' OR i.error_code IS NULL)
					AS speaks,
				-- We had given it up, and now it lives: it must not.
				CASE WHEN i.was = 'ended' AND i.was_outcome = 'unknown' AND NOT i.later
					AND i.event IN ('accepted', 'initiated', 'ringing', 'answered',
						'joined')
					THEN 'hangup' ELSE tr.action END AS action,
				i.was = 'ended' AND i.event IN ('completed', 'busy', 'no_answer',
					'failed', 'canceled') AS over
			FROM input i
			LEFT JOIN call_transition tr ON tr.state = i.was AND tr.event = i.event
				AND NOT i.later
				AND (i.event NOT IN ('machine', 'fax') OR (SELECT g.amd FROM campaigns g
					WHERE g.id = i.campaign_id) = 'hangup_machine')
		), moved AS (
			UPDATE calls c SET
				state = COALESCE(e.next, c.state),
				outcome = CASE WHEN e.next <> 'ended' OR e.next IS NULL THEN c.outcome
					WHEN e.outcome <> 'completed' THEN e.outcome
					-- Who called us waited in vain for an agent who was rung.
					WHEN c.ring_first AND c.direction = 'inbound' AND NOT EXISTS (SELECT 1
						FROM call_legs l WHERE l.agent_session_id = c.agent_session_id
							AND l.conference = c.conference AND l.joined_at IS NOT NULL)
						THEN 'abandoned'
					ELSE COALESCE(e.machine, e.outcome) END,
				answered_by = CASE WHEN e.source = 'amd'
					THEN COALESCE(c.answered_by, e.detail) ELSE c.answered_by END,
				ringing_at = CASE WHEN e.event = 'ringing'
					THEN LEAST(c.ringing_at, GREATEST(c.placed_at, e.at)) ELSE c.ringing_at END,
				answered_at = CASE WHEN e.event IN ('answered', 'joined')
					THEN LEAST(c.answered_at, GREATEST(c.placed_at, e.at)) ELSE c.answered_at END,
				bridged_at = CASE WHEN e.event = 'joined'
					THEN LEAST(c.bridged_at, GREATEST(c.placed_at, e.at)) ELSE c.bridged_at END,
				ended_at = CASE WHEN e.next = 'ended' THEN GREATEST(c.placed_at, e.at)
					ELSE c.ended_at END,
				duration_s = COALESCE(c.duration_s, e.duration),
				error_code = CASE WHEN e.speaks THEN e.code ELSE c.error_code END,
				error_text = CASE WHEN e.speaks THEN e.detail ELSE c.error_text END,
				billed_minutes = CASE
					WHEN e.next <> 'ended' OR e.next IS NULL THEN c.billed_minutes
					-- Who is abandoned was on the line.
					WHEN e.outcome IN ('completed', 'abandoned')
						OR COALESCE(c.duration_s, e.duration) > 0
						THEN ceil(GREATEST(1, COALESCE(c.duration_s, e.duration,
							extract(epoch FROM e.at - c.answered_at), 1)) / 60)
					ELSE 0 END,
				was_ambiguous = c.was_ambiguous OR COALESCE(e.next = 'ambiguous', false),
				deadline_at = CASE WHEN e.next = 'ended' THEN NULL
					WHEN e.next IS NULL THEN c.deadline_at
					ELSE now() + make_interval(secs => e.check_s
						+ CASE WHEN e.plus_ring THEN c.ring_timeout_s ELSE 0 END) END,
				action = CASE WHEN e.next = 'ended' OR e.over THEN NULL
					ELSE COALESCE(e.action, c.action) END,
				action_due_at = CASE WHEN e.action IS NOT NULL
					THEN now() + interval '3 seconds' ELSE c.action_due_at END,
				action_done_at = CASE WHEN e.action IS NOT NULL
					THEN NULL ELSE c.action_done_at END
			FROM news e
			WHERE c.id = e.id
			RETURNING c.id, c.state, c.outcome, c.answered_by, e.was
		)
		SELECT heard || array_agg(m.id),
				talking || array_agg(m.id) FILTER (WHERE m.state IN ('answered', 'bridged')),
				bridged || array_agg(m.id) FILTER (WHERE m.state = 'bridged'),
				over || array_agg(m.id) FILTER (WHERE m.state = 'ended'),
				just_over || array_agg(m.id) FILTER (WHERE m.state = 'ended'
					AND m.was <> 'ended'),
				late || array_agg(m.id) FILTER (WHERE m.outcome = 'completed'
					AND m.answered_by ~ '^(machine|fax)')
			INTO heard, talking, bridged, over, just_over, late FROM moved m;
	END LOOP;
	IF heard IS NULL THEN
		RETURN;
	END IF;

	-- Most news is of none of these: what has nothing to do is not begun.
	-- The agent is on the call as soon as the customer is there.
	IF talking IS NOT NULL THEN
		UPDATE agent_sessions s SET state = 'on_call', state_since = now(), hold_until = NULL
			FROM calls c
			WHERE c.id = ANY (talking) AND s.id = c.agent_session_id
				AND s.call_id = c.id AND s.state = 'reserved';
	END IF;
	IF bridged IS NOT NULL THEN
		PERFORM want_recordings(bridged);
	END IF;
	IF late IS NOT NULL THEN
		PERFORM correct_machines(late);
	END IF;
	IF over IS NOT NULL THEN
		PERFORM release_ended_calls(over, just_over);
	END IF;

	RETURN QUERY
		SELECT c.id, o.state, c.state::text, c.outcome::text,
			CASE WHEN c.action_done_at IS NULL THEN c.action::text END, NULLIF(o.leg, ''),
			c.campaign_id, c.entry_id, q.state, c.contact_id, c.agent_session_id, s.state,
			c.agent_id, c.number, c.state = 'ended' AND EXISTS (SELECT 1 FROM leg_controls t
				WHERE t.call_id = c.id AND t.due_at IS NOT NULL)
		FROM unnest(old_ids, old_states, legs) AS o(id, state, leg)
		JOIN calls c ON c.id = o.id
		LEFT JOIN queue_entries q ON q.id = c.entry_id
		LEFT JOIN agent_sessions s ON s.id = c.agent_session_id
		WHERE c.state <> o.state OR (c.action IS NOT NULL AND c.action_done_at IS NULL);
END
$$;
