-- 0007_imports: what came into the lists from files, what did not, and why.

-- One row an upload. `state` is written by db/imports.c alone; whoever works on it finds out by
-- each write whether it still is its own: a cancelled or expired import is no longer open.
CREATE TABLE imports (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	list_id bigint NOT NULL REFERENCES data_lists ON DELETE CASCADE,
	user_id bigint REFERENCES users ON DELETE SET NULL,
	format text NOT NULL CHECK (format IN ('csv', 'json')),
	state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'reading', 'adding', 'done',
		'failed', 'cancelled', 'undoing', 'undone')),
	dry_run boolean NOT NULL DEFAULT false,
	replaces boolean NOT NULL DEFAULT false,    -- contacts that the file does not have are removed
	-- The node that works on it, and until when it may be silent.
	node_id uuid NOT NULL,
	deadline_at timestamptz,
	bytes bigint NOT NULL,
	bytes_done bigint NOT NULL DEFAULT 0,
	rows bigint NOT NULL DEFAULT 0,
	added bigint NOT NULL DEFAULT 0,
	updated bigint NOT NULL DEFAULT 0,
	removed bigint NOT NULL DEFAULT 0,
	skipped bigint NOT NULL DEFAULT 0,          -- duplicates
	rejected bigint NOT NULL DEFAULT 0,         -- all others that were not taken
	report jsonb NOT NULL DEFAULT '{}',         -- causes with row numbers, encoding, columns
	error text NOT NULL DEFAULT '',
	-- The ids that it added lie between these, with others' among them.
	first_contact bigint NOT NULL DEFAULT 0,
	last_contact bigint NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT now(),
	ended_at timestamptz,
	CHECK ((state IN ('queued', 'reading', 'adding', 'undoing')) = (deadline_at IS NOT NULL)),
	CHECK ((state IN ('queued', 'reading', 'adding')) = (ended_at IS NULL))
);
CREATE INDEX imports_list ON imports (list_id, id);
CREATE INDEX imports_open ON imports (deadline_at) WHERE deadline_at IS NOT NULL;

-- Rows that were not taken, as CSV with the reason, in parts of some kilobytes.
CREATE TABLE import_rejects (
	import_id bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
	part int NOT NULL,
	csv text NOT NULL,
	PRIMARY KEY (import_id, part)
);
