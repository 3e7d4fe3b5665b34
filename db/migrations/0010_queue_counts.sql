-- 0010_queue_counts: how many entries of a campaign are in each state, without reading a queue of
-- a million to tell.
--
-- Each statement that moves entries leaves what it changed; nobody waits for anybody's lock. The
-- sum is the count. fold_queue_counts() keeps the list of changes short.
--
-- A campaign with entries has rows here. They refer to it in the place of its entries: it is looked
-- up once for each statement, where a million new entries would look it up a million times.

CREATE TABLE queue_counts (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	campaign_id bigint NOT NULL REFERENCES campaigns,
	state text NOT NULL,
	change bigint NOT NULL
);
CREATE INDEX queue_counts_campaign ON queue_counts (campaign_id) INCLUDE (state, change);

CREATE FUNCTION count_queue_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO queue_counts (campaign_id, state, change)
			SELECT campaign_id, state, count(*) FROM new_rows GROUP BY 1, 2;
	ELSIF TG_OP = 'DELETE' THEN
		INSERT INTO queue_counts (campaign_id, state, change)
			SELECT campaign_id, state, -count(*) FROM old_rows GROUP BY 1, 2;
	ELSE
		INSERT INTO queue_counts (campaign_id, state, change)
			SELECT campaign_id, state, sum(one)
			FROM (SELECT campaign_id, state, 1 AS one FROM new_rows
				UNION ALL SELECT campaign_id, state, -1 FROM old_rows) c
			GROUP BY 1, 2 HAVING sum(one) <> 0;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER queue_entries_counted_in AFTER INSERT ON queue_entries
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION count_queue_entries();
CREATE TRIGGER queue_entries_counted_out AFTER DELETE ON queue_entries
	REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION count_queue_entries();
CREATE TRIGGER queue_entries_counted AFTER UPDATE ON queue_entries
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION count_queue_entries();

-- One row, also for a campaign that has no queue.
CREATE FUNCTION queue_totals(p_campaign bigint)
RETURNS TABLE (pending bigint, dialing bigint, completed bigint, skipped bigint)
LANGUAGE sql STABLE AS $$
	SELECT COALESCE(sum(change) FILTER (WHERE state = 'pending'), 0)::bigint,
		COALESCE(sum(change) FILTER (WHERE state = 'dialing'), 0)::bigint,
		COALESCE(sum(change) FILTER (WHERE state = 'completed'), 0)::bigint,
		COALESCE(sum(change) FILTER (WHERE state = 'skipped'), 0)::bigint
	FROM queue_counts WHERE campaign_id = p_campaign
$$;

-- Puts one row for each campaign and state in the place of many. Two at once share the work: what
-- one has taken is gone for the other.
CREATE FUNCTION fold_queue_counts() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT count(*) FROM (SELECT 1 FROM queue_counts LIMIT 500) few) < 500 THEN
		RETURN;
	END IF;
	WITH gone AS (DELETE FROM queue_counts RETURNING campaign_id, state, change)
		INSERT INTO queue_counts (campaign_id, state, change)
		SELECT campaign_id, state, sum(change) FROM gone
		GROUP BY 1, 2 HAVING sum(change) <> 0;
END
$$;
