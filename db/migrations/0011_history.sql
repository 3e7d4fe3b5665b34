-- 0011_history: what calls have told is deleted when nobody needs it any more.

-- Of at most p_max calls that ended more than p_days ago, the oldest first; returns how many
-- it was. Open calls keep their events, and those whose recording is still kept. Never waits for a
-- lock: a call that somebody has just taken is left for the next time.
CREATE FUNCTION forget_call_events(p_days int, p_max int) RETURNS bigint
LANGUAGE sql
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
	WITH old AS (
		SELECT c.id FROM calls c
			WHERE c.state = 'ended' AND NOT c.events_gone
				AND c.placed_at < now() - make_interval(days => p_days)
				AND c.ended_at < now() - make_interval(days => p_days)
				AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.call_id = c.id
					AND r.state NOT IN ('deleted', 'absent', 'failed'))
			ORDER BY c.placed_at LIMIT p_max FOR UPDATE OF c SKIP LOCKED
	), events AS (
		DELETE FROM call_events e USING old WHERE e.call_id = old.id
	), marked AS (
		UPDATE calls c SET events_gone = true FROM old WHERE c.id = old.id RETURNING 1
	)
	SELECT count(*) FROM marked
$$;
