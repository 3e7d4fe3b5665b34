-- 0006_calls: what an agent says a call was, what follows from it, and promises to call back.

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
	applied_at timestamptz   -- its rules have done their work on the queue entry
);
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
	armed_dials int,              -- the entry's dials then; null: it has no entry yet
	made_entry boolean NOT NULL DEFAULT false, -- it was not in the queue before
	done_call_id bigint REFERENCES calls ON DELETE SET NULL,
	created_by bigint REFERENCES users,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX callbacks_open ON callbacks (campaign_id, contact_id)
	WHERE state IN ('pending', 'missed');
CREATE INDEX callbacks_due ON callbacks (due_at) WHERE state = 'pending';
CREATE INDEX callbacks_unarmed ON callbacks (id) WHERE state = 'pending' AND armed_dials IS NULL;
CREATE INDEX callbacks_entry ON callbacks (entry_id) WHERE state IN ('pending', 'missed');
CREATE INDEX callbacks_agent ON callbacks (agent_id, id);
CREATE INDEX callbacks_campaign ON callbacks (campaign_id, id);
CREATE INDEX callbacks_contact ON callbacks (contact_id);
CREATE INDEX callbacks_call ON callbacks (from_call_id);

-- Gives each callback that has none the entry that it is dialled from: first of all when due,
-- and for its owner alone until the grace is over. What somebody else holds just now, or is in
-- a call, is left to the next time: the sweeper comes twice a second, a call's end calls it too.
CREATE FUNCTION arm_callbacks(p_callback bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	b callbacks;
	entry bigint;
	entry_state text;
	entry_dials int;
	made boolean;
BEGIN
	FOR b IN SELECT * FROM callbacks WHERE id = ANY (p_callback) AND state = 'pending'
			AND armed_dials IS NULL ORDER BY id FOR UPDATE SKIP LOCKED LOOP
		SELECT q.id, q.state, q.dials INTO entry, entry_state, entry_dials
			FROM queue_entries q
			WHERE q.campaign_id = b.campaign_id AND q.contact_id = b.contact_id
				AND q.state IN ('pending', 'dialing') FOR UPDATE SKIP LOCKED;
		made := entry IS NULL;
		IF made THEN
			INSERT INTO queue_entries (campaign_id, contact_id, priority, run_at,
					agent_id, agent_until)
				VALUES (b.campaign_id, b.contact_id, 1, b.due_at, b.agent_id,
					CASE WHEN b.agent_id IS NOT NULL
						THEN b.due_at + make_interval(secs => b.grace_s) END)
				ON CONFLICT DO NOTHING RETURNING id INTO entry;
		ELSIF entry_state = 'dialing' THEN
			entry := NULL;
		ELSE
			-- A promise is kept whatever the attempts were.
			UPDATE queue_entries q SET priority = 1, run_at = b.due_at,
				attempts = LEAST(q.attempts, k.max_attempts - 1),
				agent_id = b.agent_id,
				agent_until = CASE WHEN b.agent_id IS NOT NULL
					THEN b.due_at + make_interval(secs => b.grace_s) END
				FROM campaigns k WHERE q.id = entry AND k.id = q.campaign_id;
		END IF;
		IF entry IS NOT NULL THEN
			UPDATE callbacks SET entry_id = entry, armed_dials = COALESCE(entry_dials, 0),
				made_entry = made
				WHERE id = b.id;
		END IF;
	END LOOP;
END
$$;

-- Takes a callback's entry back: out of the queue when it was made for it, else to its ordinary
-- place. The entry's lock comes before the callback's, as when a call ends.
CREATE FUNCTION disarm_callback(p_callback bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	entry bigint;
BEGIN
	SELECT q.id INTO entry FROM queue_entries q JOIN callbacks b ON b.entry_id = q.id
		WHERE b.id = p_callback FOR UPDATE OF q;
	UPDATE queue_entries q SET
			state = CASE WHEN b.made_entry AND q.dials = 0 THEN 'skipped' ELSE q.state END,
			completed_at = CASE WHEN b.made_entry AND q.dials = 0 THEN now() END,
			priority = 2, agent_id = NULL, agent_until = NULL
		FROM callbacks b WHERE b.id = p_callback AND q.id = entry AND q.state = 'pending'
			AND b.entry_id = entry;
	UPDATE callbacks SET entry_id = NULL, armed_dials = NULL, made_entry = false
		WHERE id = p_callback;
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
		UPDATE callbacks SET state = 'cancelled', updated_at = now() WHERE id = b;
	END LOOP;
END
$$;

-- Twice a second: what was kept for one agent and is not any more, what was missed, what still
-- has no entry.
CREATE FUNCTION sweep_callbacks() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	UPDATE queue_entries SET agent_id = NULL, agent_until = NULL
		WHERE id IN (SELECT id FROM queue_entries WHERE state = 'pending'
			AND agent_id IS NOT NULL AND agent_until <= now()
			ORDER BY id FOR UPDATE SKIP LOCKED);
	UPDATE callbacks SET state = 'missed', updated_at = now()
		WHERE id IN (SELECT b.id FROM callbacks b WHERE b.state = 'pending'
			AND b.due_at <= now() - interval '1 hour'
			AND b.due_at <= now() - interval '1 hour' - make_interval(secs => b.grace_s)
			AND NOT EXISTS (SELECT 1 FROM queue_entries q WHERE q.id = b.entry_id
				AND q.state = 'dialing')
			FOR UPDATE OF b SKIP LOCKED);
	PERFORM arm_callbacks(array_agg(id)) FROM (SELECT id FROM callbacks
		WHERE state = 'pending' AND armed_dials IS NULL ORDER BY id LIMIT 100) b
		HAVING count(*) > 0;
END
$$;

-- What the calls' dispositions say about their queue entries, once each. Only after
-- release_ended_calls() has let them go; calls that are still open keep it for their end.
CREATE FUNCTION settle_dispositions(p_call bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	UPDATE queue_entries q SET
			state = CASE WHEN r.again THEN 'pending' ELSE 'completed' END,
			run_at = CASE WHEN r.again
				THEN now() + make_interval(secs => r.retry_after_s) ELSE q.run_at END,
			completed_at = CASE WHEN r.again THEN NULL ELSE now() END,
			agent_id = NULL, agent_until = NULL
		FROM (SELECT c.entry_id, c.attempt, s.retry_after_s,
				s.retry_after_s IS NOT NULL AND p.attempts < k.max_attempts
				AND NOT EXISTS (SELECT 1 FROM queue_entries o
					WHERE o.campaign_id = p.campaign_id
						AND o.contact_id = p.contact_id AND o.id <> p.id
						AND o.state IN ('pending', 'dialing')) AS again
			FROM calls c JOIN call_dispositions d ON d.call_id = c.id
			JOIN dispositions s ON s.id = d.disposition_id
			JOIN queue_entries p ON p.id = c.entry_id
			JOIN campaigns k ON k.id = p.campaign_id
			WHERE c.id = ANY (p_call) AND c.state = 'ended' AND d.applied_at IS NULL
				AND (s.retry_after_s IS NOT NULL OR s.final OR s.dnc
					OR d.changed)) r
		WHERE q.id = r.entry_id AND q.dials = r.attempt
			AND q.state IN ('pending', 'completed');
	UPDATE call_dispositions d SET applied_at = now() FROM calls c
		WHERE d.call_id = ANY (p_call) AND c.id = d.call_id AND c.state = 'ended'
			AND d.applied_at IS NULL;
END
$$;

-- A callback is done when the call from its entry was really placed; others that waited for
-- this contact's call to end get their entry now.
CREATE FUNCTION settle_callbacks(p_call bigint[], p_unsent bigint[]) RETURNS void
LANGUAGE plpgsql
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	UPDATE callbacks b SET state = 'done', done_call_id = c.id, updated_at = now()
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
