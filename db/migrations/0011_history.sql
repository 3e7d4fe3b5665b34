-- 0011_history: what calls have told is deleted when nobody needs it any more.

-- How far forget_call_events() has looked: calls whose events stay are not looked at each time.
CREATE TABLE history_mark (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	placed_at timestamptz NOT NULL,
	call_id bigint NOT NULL
);
INSERT INTO history_mark (placed_at, call_id) VALUES ('-infinity', 0);

-- Of at most p_max calls that ended more than p_days ago, the oldest first; returns how many
-- it was. Open calls keep their events, and those whose recording is still kept. Looks at ten times
-- as many and goes on from there the next time, until it is through and begins again. Never waits for
-- a lock: a call that somebody has just taken is left for the next round.
CREATE FUNCTION forget_call_events(p_days int, p_max int) RETURNS bigint
LANGUAGE plpgsql
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	before timestamptz := now() - make_interval(days => p_days);
	mark history_mark;
	old bigint[];
	last_id bigint;
BEGIN
	SELECT * INTO mark FROM history_mark FOR UPDATE SKIP LOCKED;
	IF mark IS NULL THEN
		RETURN 0;
	END IF;
	WITH looked AS MATERIALIZED (
		SELECT c.id, c.placed_at, c.state = 'ended' AND c.ended_at < before
				AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.call_id = c.id
					AND r.state NOT IN ('deleted', 'absent', 'failed')) AS free
			FROM calls c
			WHERE NOT c.events_gone AND c.placed_at < before
				AND (c.placed_at, c.id) > (mark.placed_at, mark.call_id)
			ORDER BY c.placed_at, c.id LIMIT p_max * 10
	), first AS MATERIALIZED (
		SELECT * FROM looked WHERE free ORDER BY placed_at, id LIMIT p_max
	)
	SELECT ARRAY(SELECT id FROM first),
			CASE WHEN (SELECT count(*) FROM first) = p_max
					THEN (SELECT id FROM first ORDER BY placed_at DESC, id DESC LIMIT 1)
				WHEN (SELECT count(*) FROM looked) = p_max * 10
					THEN (SELECT id FROM looked ORDER BY placed_at DESC, id DESC LIMIT 1)
			END
		INTO old, last_id;
	old := ARRAY(SELECT c.id FROM calls c WHERE c.id = ANY (old) FOR UPDATE SKIP LOCKED);
	DELETE FROM call_events e WHERE e.call_id = ANY (old);
	UPDATE calls c SET events_gone = true WHERE c.id = ANY (old);
	UPDATE history_mark SET call_id = COALESCE(last_id, 0), placed_at = COALESCE(
		(SELECT c.placed_at FROM calls c WHERE c.id = last_id), '-infinity');
	RETURN cardinality(old);
END
$$;
