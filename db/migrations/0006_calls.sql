-- 0006_calls: what an agent says a call was, what follows from it, promises to call back, and
-- what was recorded.

-- What a call can turn out to be. The rules say what becomes of the contact; one of them at most.
CREATE TABLE dispositions (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (name <> ''),
	category text NOT NULL DEFAULT 'neutral'
		CHECK (category IN ('positive', 'neutral', 'negative')),
	position int NOT NULL DEFAULT 100,   -- in the agent's list
	active boolean NOT NULL DEFAULT true,
	retry_after_s int CHECK (retry_after_s BETWEEN 0 AND 31536000), -- dial again; null: no
	callback_required boolean NOT NULL DEFAULT false,
	dnc boolean NOT NULL DEFAULT false,  -- never call the number again
	final boolean NOT NULL DEFAULT false, -- done with the contact, whatever the call's outcome
	notes_required boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL DEFAULT now(),
	CHECK ((retry_after_s IS NOT NULL)::int + callback_required::int + (dnc OR final)::int <= 1)
);
INSERT INTO dispositions (name, category, position, retry_after_s, callback_required, dnc, final,
	notes_required) VALUES
	('Sale', 'positive', 10, NULL, false, false, true, true),
	('Appointment', 'positive', 20, NULL, false, false, true, true),
	('Interested', 'positive', 30, 86400, false, false, false, false),
	('Callback', 'neutral', 40, NULL, true, false, false, false),
	('Not interested', 'negative', 50, NULL, false, false, true, false),
	('Do not call', 'negative', 60, NULL, false, true, false, false),
	('Wrong number', 'negative', 70, NULL, false, false, true, false),
	('Language barrier', 'negative', 80, NULL, false, false, true, false),
	('Answering machine', 'neutral', 90, 14400, false, false, false, false),
	('Nobody spoke', 'neutral', 100, 3600, false, false, false, false);

-- A disposition without a row here is for every campaign.
CREATE TABLE campaign_dispositions (
	disposition_id bigint NOT NULL REFERENCES dispositions ON DELETE CASCADE,
	campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
	PRIMARY KEY (disposition_id, campaign_id)
);
CREATE INDEX campaign_dispositions_campaign ON campaign_dispositions (campaign_id);

-- What a call was: one answer a call.
CREATE TABLE call_dispositions (
	call_id bigint PRIMARY KEY REFERENCES calls ON DELETE CASCADE,
	disposition_id bigint NOT NULL REFERENCES dispositions,
	notes text NOT NULL DEFAULT '',
	user_id bigint REFERENCES users,
	at timestamptz NOT NULL DEFAULT now(),
	changed boolean NOT NULL DEFAULT false, -- another one stood here before
	made_entry bigint,       -- of queue_entries: what its retry made, of a call that had none
	applied_at timestamptz   -- its rules have done their work on the queue entry
);
CREATE INDEX call_dispositions_unapplied ON call_dispositions (call_id) WHERE applied_at IS NULL;
CREATE INDEX call_dispositions_of ON call_dispositions (disposition_id, call_id);

-- A promise to call somebody back. `pending` until it was dialled (`done`) or not in time
-- (`missed`: it stays in the queue, and becomes done when it is dialled after all).
CREATE TABLE callbacks (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	campaign_id bigint NOT NULL REFERENCES campaigns,
	contact_id bigint NOT NULL REFERENCES contacts ON DELETE CASCADE,
	agent_id bigint REFERENCES users,    -- its owner; null: anybody
	from_call_id bigint REFERENCES calls ON DELETE SET NULL,
	due_at timestamptz NOT NULL,
	grace_s int NOT NULL CHECK (grace_s BETWEEN 0 AND 604800), -- the owner's alone for so long
	note text NOT NULL DEFAULT '',
	state text NOT NULL DEFAULT 'pending'
		CHECK (state IN ('pending', 'done', 'missed', 'cancelled')),
	-- The entry that it is dialled from, as soon as that is not in a call.
	entry_id bigint REFERENCES queue_entries ON DELETE SET NULL,
	armed_dials int,              -- the entry's dials then; null: the entry is not its own (yet)
	made_entry boolean NOT NULL DEFAULT false, -- it was not in the queue before
	was_priority int,             -- what the entry was before, if it was there: to be given back
	was_run_at timestamptz,
	done_call_id bigint REFERENCES calls ON DELETE SET NULL,
	untold boolean NOT NULL DEFAULT false, -- made or changed by no route: the sweeper tells of it
	created_by bigint REFERENCES users,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX callbacks_open ON callbacks (campaign_id, contact_id)
	WHERE state IN ('pending', 'missed');
CREATE INDEX callbacks_due ON callbacks (due_at) WHERE state = 'pending';
CREATE INDEX callbacks_unarmed ON callbacks (id) WHERE state = 'pending' AND armed_dials IS NULL;
CREATE INDEX callbacks_cancelled ON callbacks (id) WHERE state = 'cancelled' AND entry_id IS NOT NULL;
CREATE INDEX callbacks_untold ON callbacks (id) WHERE untold;
CREATE INDEX callbacks_entry ON callbacks (entry_id) WHERE state IN ('pending', 'missed');
CREATE INDEX callbacks_agent ON callbacks (agent_id, id);
CREATE INDEX callbacks_campaign ON callbacks (campaign_id, id);
CREATE INDEX callbacks_contact ON callbacks (contact_id);
CREATE INDEX callbacks_call ON callbacks (from_call_id);

-- Whether the last call that was made for an entry surely rang nowhere.
CREATE FUNCTION entry_unsent(p_entry bigint, p_dials int) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT 1 FROM calls c
		WHERE c.entry_id = p_entry AND c.attempt = p_dials AND NOT c.counts)
$$;

-- Gives each callback that has none the entry that it is dialled from: first of all when due,
-- and for its owner alone until the grace is over. What somebody else holds just now, or is in
-- a call, is left to the next time: the sweeper comes twice a second, a call's end calls it too.
CREATE FUNCTION arm_callbacks(p_callback bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	b callbacks;
	e queue_entries;
	made boolean;
	mine boolean; -- it was moved during a call: the entry is its own already
BEGIN
	FOR b IN SELECT * FROM callbacks WHERE id = ANY (p_callback) AND state = 'pending'
			AND armed_dials IS NULL ORDER BY id FOR UPDATE SKIP LOCKED LOOP
		SELECT q.* INTO e FROM queue_entries q
			WHERE q.campaign_id = b.campaign_id AND q.contact_id = b.contact_id
				AND q.state IN ('pending', 'dialing') FOR UPDATE SKIP LOCKED;
		made := e.id IS NULL;
		mine := e.id = b.entry_id;
		IF made THEN
			INSERT INTO queue_entries (campaign_id, contact_id, priority, run_at,
					agent_id, agent_until)
				VALUES (b.campaign_id, b.contact_id, 1, b.due_at, b.agent_id,
					CASE WHEN b.agent_id IS NOT NULL
						THEN b.due_at + make_interval(secs => b.grace_s) END)
				ON CONFLICT DO NOTHING RETURNING id INTO e.id;
		ELSIF e.state = 'dialing' THEN
			e.id := NULL;
		ELSE
			-- A promise is kept whatever the attempts were, and whatever it waited for.
			UPDATE queue_entries q SET priority = 1, run_at = b.due_at, reason = '',
				attempts = LEAST(q.attempts, k.max_attempts - 1),
				agent_id = b.agent_id,
				agent_until = CASE WHEN b.agent_id IS NOT NULL
					THEN b.due_at + make_interval(secs => b.grace_s) END
				FROM campaigns k WHERE q.id = e.id AND k.id = q.campaign_id;
		END IF;
		IF e.id IS NOT NULL THEN
			UPDATE callbacks SET entry_id = e.id, armed_dials = COALESCE(e.dials, 0),
				made_entry = CASE WHEN mine THEN made_entry ELSE made END,
				was_priority = CASE WHEN mine THEN was_priority ELSE e.priority END,
				was_run_at = CASE WHEN mine AND entry_unsent(e.id, e.dials) THEN was_run_at
					ELSE e.run_at END
				WHERE id = b.id;
		END IF;
	END LOOP;
END
$$;

-- Takes a callback's entry back: out of the queue when it was made for it, else to its place and
-- time of before; a priority that somebody gave it meanwhile stays. One that is in a call is left
-- to the call's end: then arm_callbacks(), or, if cancelled, the sweeper looks after it. The entry's
-- lock comes before the callback's, as when a call ends.
CREATE FUNCTION disarm_callback(p_callback bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	entry bigint;
	entry_state text;
BEGIN
	-- Armed between our look and our write, it has another entry: that one, then.
	LOOP
		entry := NULL;
		SELECT q.id, q.state INTO entry, entry_state
			FROM queue_entries q JOIN callbacks b ON b.entry_id = q.id
			WHERE b.id = p_callback FOR UPDATE OF q;
		IF entry_state = 'dialing' THEN
			UPDATE callbacks SET armed_dials = NULL WHERE id = p_callback;
			RETURN;
		END IF;
		-- Another promise has taken the entry over after the call.
		UPDATE callbacks o SET made_entry = b.made_entry, was_priority = b.was_priority,
				was_run_at = CASE WHEN entry_unsent(q.id, q.dials) THEN b.was_run_at
					ELSE o.was_run_at END
			FROM callbacks b, queue_entries q
			WHERE b.id = p_callback AND q.id = entry AND o.entry_id = entry AND o.id <> b.id
				AND o.state IN ('pending', 'missed');
		IF NOT FOUND THEN
			UPDATE queue_entries q SET
					state = CASE WHEN b.made_entry THEN 'skipped' ELSE q.state END,
					completed_at = CASE WHEN b.made_entry THEN now() END,
					priority = CASE WHEN q.priority = 1 THEN COALESCE(b.was_priority, 2)
						ELSE q.priority END,
					-- After that call, if it left, the entry waits for another attempt.
					run_at = CASE WHEN b.armed_dials IS NULL AND NOT entry_unsent(q.id, q.dials)
							THEN q.run_at
						ELSE COALESCE(b.was_run_at, q.run_at) END,
					agent_id = NULL, agent_until = NULL
				FROM callbacks b WHERE b.id = p_callback AND q.id = entry AND q.state = 'pending'
					AND b.entry_id = entry;
		END IF;
		UPDATE callbacks SET entry_id = NULL, armed_dials = NULL, made_entry = false,
				was_priority = NULL, was_run_at = NULL
			WHERE id = p_callback AND entry_id IS NOT DISTINCT FROM entry;
		EXIT WHEN FOUND OR NOT EXISTS (SELECT 1 FROM callbacks WHERE id = p_callback);
	END LOOP;
END
$$;

-- What was promised in a call (p_call), or to a contact of a campaign, is void. Each may be null.
CREATE FUNCTION cancel_callbacks(p_call bigint, p_campaign bigint, p_contact bigint)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	b bigint;
BEGIN
	FOR b IN SELECT c.id FROM callbacks c WHERE c.state IN ('pending', 'missed')
			AND (c.from_call_id = p_call
				OR (c.campaign_id = p_campaign AND c.contact_id = p_contact))
			ORDER BY c.id LOOP
		PERFORM disarm_callback(b);
		UPDATE callbacks SET state = 'cancelled', untold = true, updated_at = now() WHERE id = b;
	END LOOP;
END
$$;

-- Twice a second: dispositions whose entry was held when they were said, what was cancelled during
-- its call, what was kept for one agent and is not any more, what was missed, what still has no
-- entry. Returns those to be told of, each once.
CREATE FUNCTION sweep_callbacks() RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM settle_dispositions(array_agg(s.id)) FROM (SELECT c.id FROM call_dispositions d
		JOIN calls c ON c.id = d.call_id WHERE d.applied_at IS NULL AND c.state = 'ended'
		LIMIT 100 FOR UPDATE OF c SKIP LOCKED) s HAVING count(*) > 0;
	PERFORM disarm_callback(c.id) FROM (SELECT b.id FROM callbacks b
		JOIN queue_entries q ON q.id = b.entry_id
		WHERE b.state = 'cancelled' AND b.entry_id IS NOT NULL AND q.state <> 'dialing'
		ORDER BY b.id LIMIT 100 FOR UPDATE OF q SKIP LOCKED) c;
	UPDATE queue_entries SET agent_id = NULL, agent_until = NULL
		WHERE id IN (SELECT id FROM queue_entries WHERE state = 'pending'
			AND agent_id IS NOT NULL AND agent_until <= now()
			ORDER BY id FOR UPDATE SKIP LOCKED);
	UPDATE callbacks SET state = 'missed', untold = true, updated_at = now()
		WHERE id IN (SELECT b.id FROM callbacks b WHERE b.state = 'pending'
			AND b.due_at <= now() - interval '1 hour'
			AND b.due_at <= now() - interval '1 hour' - make_interval(secs => b.grace_s)
			AND NOT EXISTS (SELECT 1 FROM queue_entries q WHERE q.id = b.entry_id
				AND q.state = 'dialing')
			FOR UPDATE OF b SKIP LOCKED);
	PERFORM arm_callbacks(array_agg(id)) FROM (SELECT id FROM callbacks
		WHERE state = 'pending' AND armed_dials IS NULL ORDER BY id LIMIT 100) b
		HAVING count(*) > 0;
	RETURN QUERY UPDATE callbacks SET untold = false
		WHERE id IN (SELECT b.id FROM callbacks b WHERE b.untold
			ORDER BY b.id LIMIT 100 FOR UPDATE SKIP LOCKED)
		RETURNING id;
END
$$;

-- What the calls' dispositions say about their queue entries, once each. Only after
-- release_ended_calls() has let them go; calls that are still open keep it for their end. Who called
-- us came from no entry: it is said of the contact's open one, unless that is in a call. An entry
-- that an open callback has is the callback's. What somebody else holds just now is left to the
-- sweeper.
CREATE FUNCTION settle_dispositions(p_call bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	ours bigint[];    -- those of the calls whose entry nobody else has
	entries bigint[]; -- theirs; null: none
BEGIN
	WITH said AS MATERIALIZED (
		SELECT c.id, COALESCE(c.entry_id, q.id) AS entry
			FROM calls c JOIN call_dispositions d ON d.call_id = c.id
			LEFT JOIN queue_entries q ON c.entry_id IS NULL
				AND q.campaign_id = c.campaign_id AND q.contact_id = c.contact_id
				AND q.state IN ('pending', 'dialing')
			WHERE c.id = ANY (p_call) AND c.state = 'ended' AND d.applied_at IS NULL
	), had AS MATERIALIZED (
		SELECT q.id FROM queue_entries q WHERE q.id IN (SELECT s.entry FROM said s)
			ORDER BY q.id FOR UPDATE SKIP LOCKED
	)
	SELECT array_agg(s.id), array_agg(s.entry) INTO ours, entries FROM said s
		WHERE s.entry IS NULL OR s.entry IN (SELECT h.id FROM had h);
	IF ours IS NULL THEN
		RETURN;
	END IF;
	WITH rules AS MATERIALIZED (
		SELECT p.id, b.id AS promise, s.retry_after_s,
				s.retry_after_s IS NOT NULL AND (c.entry_id IS NULL
				OR p.attempts < k.max_attempts AND NOT EXISTS (SELECT 1
					FROM queue_entries o WHERE o.campaign_id = p.campaign_id
						AND o.contact_id = p.contact_id AND o.id <> p.id
						AND o.state IN ('pending', 'dialing'))) AS again
			FROM unnest(ours, entries) AS t(id, entry) JOIN calls c ON c.id = t.id
			JOIN call_dispositions d ON d.call_id = c.id
			JOIN dispositions s ON s.id = d.disposition_id
			JOIN queue_entries p ON p.id = t.entry
			JOIN campaigns k ON k.id = p.campaign_id
			-- Not the one that this call has kept; see settle_callbacks().
			LEFT JOIN callbacks b ON b.entry_id = p.id AND b.state IN ('pending', 'missed')
				AND (b.armed_dials >= c.attempt
					OR b.armed_dials IS NOT NULL AND entry_unsent(p.id, p.dials))
			WHERE (s.retry_after_s IS NOT NULL OR s.final OR s.dnc OR d.changed
					AND (c.entry_id IS NOT NULL OR d.made_entry = p.id AND p.dials = 0))
				AND CASE WHEN c.entry_id IS NULL THEN p.state = 'pending'
					ELSE p.dials = c.attempt AND (p.state IN ('pending', 'completed')
						OR p.state = 'skipped' AND p.reason = 'by_hand') END
	), promised AS (
		-- It is dialled at its time; if it becomes void, its entry is what was said here.
		UPDATE callbacks b SET made_entry = NOT r.again, was_run_at = CASE WHEN r.again
				THEN now() + make_interval(secs => r.retry_after_s) ELSE b.was_run_at END
			FROM rules r WHERE b.id = r.promise
	)
	UPDATE queue_entries q SET
			state = CASE WHEN r.again THEN 'pending' ELSE 'completed' END,
			reason = CASE WHEN q.reason = 'by_hand' THEN '' ELSE q.reason END,
			run_at = CASE WHEN r.again
				THEN now() + make_interval(secs => r.retry_after_s) ELSE q.run_at END,
			completed_at = CASE WHEN r.again THEN NULL ELSE now() END,
			agent_id = NULL, agent_until = NULL
		FROM rules r WHERE q.id = r.id AND r.promise IS NULL;
	-- Who called and is in no queue comes into it; a contact that is being deleted does not.
	WITH made AS (
		INSERT INTO queue_entries (campaign_id, contact_id, run_at)
			SELECT c.campaign_id, x.id, now() + make_interval(secs => s.retry_after_s)
			FROM unnest(ours, entries) AS t(id, entry) JOIN calls c ON c.id = t.id
			JOIN call_dispositions d ON d.call_id = c.id
			JOIN dispositions s ON s.id = d.disposition_id
			JOIN contacts x ON x.id = c.contact_id
			WHERE t.entry IS NULL AND s.retry_after_s IS NOT NULL
			FOR KEY SHARE OF x SKIP LOCKED
			ON CONFLICT DO NOTHING RETURNING id, campaign_id, contact_id
	)
	UPDATE call_dispositions d SET made_entry = m.id
		FROM made m JOIN calls c ON c.campaign_id = m.campaign_id
			AND c.contact_id = m.contact_id AND c.entry_id IS NULL
		WHERE c.id = ANY (ours) AND d.call_id = c.id;
	UPDATE call_dispositions SET applied_at = now() WHERE call_id = ANY (ours);
END
$$;

-- A callback is done when the call from its entry was really placed; others that waited for
-- this contact's call to end get their entry now.
CREATE FUNCTION settle_callbacks(p_call bigint[], p_unsent bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	UPDATE callbacks b SET state = 'done', done_call_id = c.id, untold = true,
			updated_at = now()
		FROM calls c
		WHERE c.id = ANY (p_call) AND NOT c.id = ANY (p_unsent)
			AND b.entry_id = c.entry_id AND b.state IN ('pending', 'missed')
			AND b.armed_dials < c.attempt;
	PERFORM arm_callbacks(array_agg(b.id)) FROM calls c
		JOIN callbacks b ON b.contact_id = c.contact_id AND b.state = 'pending'
			AND b.armed_dials IS NULL
		WHERE c.id = ANY (p_call) HAVING count(*) > 0;
END
$$;

-- One row: how long recordings are kept when their campaign does not say it; 0: for good.
CREATE TABLE recording_rules (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	keep_days int NOT NULL DEFAULT 0
);
INSERT INTO recording_rules DEFAULT VALUES;

-- The recording of a call's customer leg, made at Twilio and kept there.
--   announcing  the person is told first; nothing is recorded yet
--   wanted      to be asked for
--   starting    asked for; when no answer came it is looked for before it is asked for again
--   recording, paused, processing   as Twilio says
--   completed, absent, failed       final; deleted when its time is over, or by hand
CREATE TABLE recordings (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	call_id bigint NOT NULL UNIQUE REFERENCES calls ON DELETE CASCADE,
	campaign_id bigint NOT NULL REFERENCES campaigns,
	agent_id bigint REFERENCES users,
	node_id uuid,                 -- that asked last
	state text NOT NULL CHECK (state IN ('announcing', 'wanted', 'starting', 'recording', 'paused',
		'processing', 'completed', 'absent', 'failed', 'deleted')),
	pause_wanted boolean NOT NULL DEFAULT false,
	provider_sid text UNIQUE,
	channels int,
	duration_s int,
	error_code int,
	error_text text,
	created_at timestamptz NOT NULL DEFAULT now(),
	started_at timestamptz,
	completed_at timestamptz,
	deleted_at timestamptz,
	delete_at timestamptz,        -- null: kept for good
	changes int NOT NULL DEFAULT 0,
	tries int NOT NULL DEFAULT 0, -- in this state
	due_at timestamptz            -- when something must be done about it; null: nothing
);
CREATE INDEX recordings_due ON recordings (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX recordings_campaign ON recordings (campaign_id, id);
CREATE INDEX recordings_agent ON recordings (agent_id, id);

-- Born in the transaction that bridged the call: no crash forgets it, no repetition makes two.
CREATE FUNCTION want_recordings(p_call bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	INSERT INTO recordings (call_id, campaign_id, agent_id, state, due_at, delete_at)
		SELECT c.id, c.campaign_id, c.agent_id,
			CASE WHEN k.announcement_text <> '' OR k.announcement_url <> ''
				THEN 'announcing' ELSE 'wanted' END,
			now(), now() + make_interval(days => NULLIF(
				COALESCE(NULLIF(k.recording_days, 0), r.keep_days), 0))
		FROM calls c JOIN campaigns k ON k.id = c.campaign_id, recording_rules r
		WHERE c.id = ANY (p_call) AND c.state = 'bridged' AND k.record
		ON CONFLICT (call_id) DO NOTHING;
END
$$;

-- The calls are over: what had not begun never will; what runs is asked for if nobody tells.
CREATE FUNCTION settle_recordings(p_call bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	UPDATE recordings r SET
			state = CASE WHEN r.state IN ('announcing', 'wanted') THEN 'failed' ELSE r.state END,
			error_text = CASE WHEN r.state IN ('announcing', 'wanted')
				THEN 'The call was over before the recording began.' ELSE r.error_text END,
			tries = 0,
			due_at = CASE WHEN r.state IN ('announcing', 'wanted') THEN r.delete_at
				WHEN r.state IN ('recording', 'paused') THEN now() + interval '1 minute'
				ELSE r.due_at END
		WHERE r.call_id = ANY (p_call) AND (r.state IN ('announcing', 'wanted')
			OR (r.state IN ('recording', 'paused') AND r.due_at IS NULL));
END
$$;

-- What must be done now, each for one node only: it was noted as asked for before it is. Nothing
-- of it is lost with a node: what was `starting` is looked for at Twilio a minute later.
CREATE FUNCTION take_due_recordings(p_node uuid, p_limit int)
RETURNS TABLE (id bigint, call_id bigint, op text, call_sid text, recording_sid text,
	conference_sid text, announcement_url text)
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH late AS (
		SELECT r.id FROM recordings r WHERE r.due_at <= now()
			ORDER BY r.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED
	), todo AS (
		SELECT r.id, k.announcement_url, l.provider_sid AS call_sid,
			-- How long it may play: begun again, its end would never come. A sound is as
			-- long as it likes, a slow voice says eight letters a second.
			CASE WHEN k.announcement_url <> '' THEN interval '300 seconds'
				ELSE make_interval(secs => 20 + length(k.announcement_text) / 8.0)
				END AS plays,
			CASE
				WHEN r.state = 'announcing' AND r.tries < 3 THEN 'announce'
				WHEN r.state = 'announcing' THEN 'give_up'
				WHEN r.state = 'wanted' AND r.pause_wanted THEN 'wait'
				WHEN r.state = 'wanted' AND r.tries < 5 THEN 'create'
				WHEN r.state = 'wanted' THEN 'give_up'
				WHEN r.state = 'starting' THEN 'find'
				WHEN r.state = 'processing' OR c.state = 'ended'
					AND r.state IN ('recording', 'paused') THEN 'fetch'
				WHEN r.state = 'recording' AND r.pause_wanted THEN 'pause'
				WHEN r.state = 'paused' AND NOT r.pause_wanted THEN 'resume'
				WHEN r.state IN ('completed', 'absent', 'failed')
					AND r.delete_at <= now() THEN 'delete'
				ELSE 'wait' END AS op,
			(SELECT e.source_sid FROM call_events e WHERE e.call_id = r.call_id
				AND e.source = 'conference' AND e.source_sid LIKE 'CF%'
				ORDER BY e.id DESC LIMIT 1) AS conference_sid
			FROM recordings r JOIN late ON late.id = r.id JOIN calls c ON c.id = r.call_id
			JOIN campaigns k ON k.id = c.campaign_id
			LEFT JOIN call_legs l ON l.call_id = c.id AND l.kind = 'customer'
	)
	UPDATE recordings r SET
			state = CASE WHEN t.op = 'create' THEN 'starting'
				WHEN t.op = 'give_up' THEN 'failed'
				WHEN t.op = 'delete' AND r.provider_sid IS NULL THEN 'deleted'
				ELSE r.state END,
			error_text = CASE WHEN t.op = 'give_up' THEN COALESCE(r.error_text,
				'The announcement was not confirmed: nothing may be recorded.')
				ELSE r.error_text END,
			deleted_at = CASE WHEN t.op = 'delete' AND r.provider_sid IS NULL
				THEN now() ELSE r.deleted_at END,
			node_id = p_node, tries = r.tries + 1,
			due_at = CASE WHEN t.op = 'wait' OR t.op = 'delete' AND r.provider_sid IS NULL
					THEN NULL
				WHEN t.op = 'give_up' THEN r.delete_at
				WHEN t.op = 'announce' THEN now() + t.plays
				WHEN t.op IN ('create', 'find') THEN now() + interval '60 seconds'
				WHEN t.op IN ('pause', 'resume') THEN now() + interval '5 seconds'
				ELSE now() + LEAST(3600, 15 * 2 ^ LEAST(r.tries, 10)) * interval '1 second'
				END
		FROM todo t WHERE r.id = t.id
		RETURNING r.id, r.call_id, t.op, t.call_sid, r.provider_sid, t.conference_sid,
			t.announcement_url;
END
$$;

-- The one writer of a recording's state after its birth. p_status is Twilio's word, or ours:
-- announced, missing (looked for and not there), unsent, lost, refused, gone. p_certain: told by
-- Twilio's answer, not by a webhook that may be late. Any order and any repetition of webhooks
-- gives the same end. True when something changed.
CREATE FUNCTION apply_recording(p_id bigint, p_sid text, p_status text, p_certain boolean,
	p_duration int, p_channels int, p_started timestamptz, p_code int, p_text text)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	r recordings;
	call_over boolean;
	became text;
	due timestamptz;
BEGIN
	SELECT * INTO r FROM recordings WHERE id = p_id FOR UPDATE;
	IF NOT FOUND OR (p_sid <> '' AND r.provider_sid IS NOT NULL AND r.provider_sid <> p_sid) THEN
		RETURN false;
	END IF;
	SELECT c.state = 'ended' INTO call_over FROM calls c WHERE c.id = r.call_id;
	became := CASE
		WHEN r.state = 'deleted' THEN NULL
		WHEN p_status IN ('deleted', 'gone') THEN
			CASE WHEN r.state IN ('completed', 'absent', 'failed') THEN 'deleted' ELSE 'absent' END
		WHEN p_status = 'completed' THEN 'completed'
		WHEN r.state = 'completed' THEN NULL
		WHEN p_status = 'absent' THEN 'absent'
		WHEN r.state = 'absent' THEN NULL
		WHEN p_status IN ('processing', 'stopped') THEN 'processing'
		WHEN r.state = 'processing' THEN NULL
		WHEN p_status = 'paused' AND p_certain THEN 'paused'
		WHEN p_status = 'in-progress' AND p_sid <> ''
			AND (p_certain OR r.state IN ('announcing', 'wanted', 'starting', 'failed'))
			THEN 'recording'
		WHEN p_status = 'announced' AND r.state = 'announcing' THEN 'wanted'
		WHEN p_status IN ('missing', 'unsent') AND r.state = 'starting' THEN
			CASE WHEN call_over THEN 'failed' ELSE 'wanted' END
		WHEN p_status = 'refused' AND r.state IN ('announcing', 'wanted', 'starting') THEN 'failed'
		END;
	due := CASE COALESCE(became, r.state)
		WHEN 'wanted' THEN now() + CASE WHEN p_status = 'unsent' THEN interval '2 seconds'
			ELSE interval '0' END
		WHEN 'recording' THEN CASE WHEN call_over THEN now() + interval '1 minute'
			WHEN r.pause_wanted THEN now() END
		WHEN 'paused' THEN CASE WHEN call_over THEN now() + interval '1 minute'
			WHEN NOT r.pause_wanted THEN now() END
		WHEN 'processing' THEN now() + interval '30 seconds'
		WHEN 'starting' THEN now() + interval '5 seconds'
		WHEN 'deleted' THEN NULL
		ELSE r.delete_at END;
	IF became IS NULL THEN
		-- Nobody knows what became of the request: it is looked for.
		IF p_status = 'lost' AND r.state = 'starting' THEN
			UPDATE recordings SET due_at = due WHERE id = p_id;
		-- Nothing plays.
		ELSIF p_status = 'unsent' AND r.state = 'announcing' THEN
			UPDATE recordings SET due_at = LEAST(due_at, now() + interval '20 seconds')
				WHERE id = p_id;
		ELSIF p_status = 'refused' AND r.state IN ('recording', 'paused') THEN
			-- A pause, or its end: it stays as it is.
			UPDATE recordings SET pause_wanted = r.state = 'paused',
					due_at = CASE WHEN call_over THEN due END
				WHERE id = p_id;
		END IF;
		RETURN false;
	END IF;
	UPDATE recordings SET state = became,
			provider_sid = COALESCE(provider_sid, NULLIF(p_sid, '')),
			duration_s = COALESCE(p_duration, duration_s),
			channels = COALESCE(p_channels, channels),
			started_at = COALESCE(started_at, p_started,
				CASE WHEN became = 'recording' THEN now() END),
			completed_at = CASE WHEN became = 'completed' THEN COALESCE(completed_at, now())
				ELSE completed_at END,
			deleted_at = CASE WHEN became = 'deleted' THEN now() END,
			error_code = CASE WHEN became = 'completed' THEN NULL
				ELSE COALESCE(p_code, error_code) END,
			error_text = CASE WHEN became = 'completed' THEN NULL
				ELSE COALESCE(NULLIF(p_text, ''), error_text) END,
			tries = CASE WHEN became = r.state OR became = 'wanted' AND r.state = 'starting'
				THEN tries ELSE 0 END,
			changes = changes + 1, due_at = due
		WHERE id = p_id;
	IF became <> r.state THEN
		INSERT INTO call_events (call_id, source, source_sid, sequence, event, at, detail)
			VALUES (r.call_id, 'recording', 'recording ' || p_id, r.changes + 1,
				became, now(), NULLIF(p_text, ''))
			ON CONFLICT DO NOTHING;
	END IF;
	RETURN became <> r.state;
END
$$;

-- Calls of which a machine was heard after their end, while somebody else had their contact or entry,
-- such as a long upload: the sweep settles them.
CREATE TABLE late_machines (
	call_id bigint PRIMARY KEY REFERENCES calls ON DELETE CASCADE
);

-- What the end of these calls had settled is settled anew by release_ended_calls(): the contact's
-- outcome, if nobody has called it since, and the entry. Waits for nobody.
CREATE FUNCTION settle_machines(p_call bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	WITH late AS MATERIALIZED (
		SELECT c.id, c.entry_id, c.attempt, c.contact_id, c.outcome FROM calls c
			WHERE c.id = ANY (p_call)
	), entry AS MATERIALIZED (
		SELECT q.id FROM late l JOIN queue_entries q ON q.id = l.entry_id
			FOR UPDATE OF q SKIP LOCKED
	), contact AS MATERIALIZED (
		SELECT x.id FROM late l JOIN contacts x ON x.id = l.contact_id
			FOR NO KEY UPDATE OF x SKIP LOCKED
	), free AS MATERIALIZED (
		-- What does not exist any more is held by nobody.
		SELECT l.* FROM late l
			WHERE NOT EXISTS (SELECT 1 FROM queue_entries q WHERE q.id = l.entry_id
					AND q.id NOT IN (SELECT e.id FROM entry e))
				AND NOT EXISTS (SELECT 1 FROM contacts x WHERE x.id = l.contact_id
					AND x.id NOT IN (SELECT t.id FROM contact t))
	), told AS (
		UPDATE contacts x SET last_outcome = l.outcome FROM free l
			WHERE x.id = l.contact_id AND x.last_outcome = 'completed'
				AND NOT EXISTS (SELECT 1 FROM calls o
					WHERE o.contact_id = l.contact_id AND o.id > l.id AND o.counts)
	), again AS (
		UPDATE queue_entries q SET state = 'dialing' FROM free l
			WHERE q.id = l.entry_id AND q.dials = l.attempt AND q.state = 'completed'
				AND NOT EXISTS (SELECT 1 FROM call_dispositions d WHERE d.call_id = l.id)
				AND NOT EXISTS (SELECT 1 FROM queue_entries o
					WHERE o.campaign_id = q.campaign_id AND o.contact_id = q.contact_id
						AND o.id <> q.id AND o.state IN ('pending', 'dialing'))
	), done AS (
		DELETE FROM late_machines m USING free l WHERE m.call_id = l.id
	)
	INSERT INTO late_machines SELECT l.id FROM late l WHERE l.id NOT IN (SELECT f.id FROM free f)
		ON CONFLICT DO NOTHING;
END
$$;

-- News of a machine that came after the end: the outcome says so, so that both orders end alike.
CREATE FUNCTION correct_machines(p_call bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	late bigint[];
BEGIN
	WITH corrected AS (
		UPDATE calls c SET outcome = substring(c.answered_by FROM '^(machine|fax)')
			FROM campaigns k
			WHERE c.id = ANY (p_call) AND c.state = 'ended' AND c.outcome = 'completed'
				AND c.answered_by ~ '^(machine|fax)' AND k.id = c.campaign_id
				AND k.amd = 'hangup_machine'
			RETURNING c.id
	)
	SELECT array_agg(id) INTO late FROM corrected;
	IF late IS NOT NULL THEN
		PERFORM settle_machines(late);
	END IF;
END
$$;

-- What was asked of a leg at Twilio (hold, muted) and what it was last said to be. A row stays as
-- long as its leg; of an agent's leg, call_id is the call it was last asked for.
CREATE TABLE leg_controls (
	leg_id bigint PRIMARY KEY REFERENCES call_legs ON DELETE CASCADE,
	call_id bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
	hold boolean NOT NULL DEFAULT false,
	muted boolean NOT NULL DEFAULT false,
	is_hold boolean NOT NULL DEFAULT false,
	is_muted boolean NOT NULL DEFAULT false,
	changes int NOT NULL DEFAULT 0,
	due_at timestamptz            -- when Twilio is told (again); null: it has done it
);
CREATE INDEX leg_controls_due ON leg_controls (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX leg_controls_call ON leg_controls (call_id);

-- A customer's hold ends with the call. An agent's leg goes on into the next one: it is given
-- back as it should be there.
CREATE FUNCTION settle_controls(p_call bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	UPDATE leg_controls t SET hold = false, muted = false,
			due_at = CASE WHEN l.kind = 'agent' AND l.left_at IS NULL THEN now() END
		FROM call_legs l
		WHERE t.call_id = ANY (p_call) AND l.id = t.leg_id
			AND (t.hold OR t.muted OR (l.kind = 'customer' AND t.due_at IS NOT NULL));
END
$$;
