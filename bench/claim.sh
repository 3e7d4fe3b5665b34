# claim.sh: the claim of the next contact in a list of a million beside the same in one of a thousand.

bench_claim() {
  local out small large node=11111111-1111-4111-8111-111111111111
  make_database claim
  small=$(claim_list 1000) large=$(claim_list 1000000)
  sql claim -c 'VACUUM ANALYZE' -c 'CHECKPOINT'
  out=$("$build/bench/claim" "$(database_url claim)" $node "$small" "$large" 800)
  printf 'claim      %s\n' "${out//$'\n'/$'\n'claim      }"
  verdict claim "$(field "$(sed -n 2p <<<"$out")" p50_us)" "$(field "$(sed -n 1p <<<"$out")" p50_us)" \
    1.5 most us
}

# An active campaign with that many contacts waiting and one agent ready; prints its id.
claim_list() { # CONTACTS
  sql claim -At -v contacts="$1" <<'SQL'
UPDATE account_rate SET per_second = 100000, tokens = 100000;
INSERT INTO users (username, name, role, password_hash)
	VALUES ('agent' || :contacts, 'Agent', 'agent', 'x');
INSERT INTO campaigns (name, state, caller_id, auto_dial, wrap_up_s)
	VALUES ('list of ' || :contacts, 'active', '+14155550100', true, 0);
INSERT INTO data_lists (campaign_id, name)
	SELECT id, name FROM campaigns WHERE name = 'list of ' || :contacts;
INSERT INTO agent_sessions (user_id, campaign_id, node_id, state, wants_ready, phone_up, twilio_up,
		turn)
	SELECT u.id, c.id, '11111111-1111-4111-8111-111111111111', 'ready', true, true, true, 1
	FROM users u, campaigns c
	WHERE u.username = 'agent' || :contacts AND c.name = 'list of ' || :contacts;
INSERT INTO contacts (list_id, phone)
	SELECT l.id, '+1' || (2000000000 + l.id * 10000000 + g)
	FROM data_lists l, generate_series(1, :contacts) g WHERE l.name = 'list of ' || :contacts;
INSERT INTO queue_entries (campaign_id, contact_id)
	SELECT l.campaign_id, c.id FROM contacts c JOIN data_lists l ON l.id = c.list_id
	WHERE l.name = 'list of ' || :contacts ORDER BY c.id;
SELECT id FROM campaigns WHERE name = 'list of ' || :contacts;
SQL
}
