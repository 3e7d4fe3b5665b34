'use strict';
/*
 * server.js: the peer of script/bench: Express, twilio and pg as their own guides use them.
 *
 * It is given every advantage that costs no correctness: NODE_ENV=production, prepared
 * statements, one statement for both rows (one round trip, one commit), no logging.
 */
const express = require('express');
const { Pool } = require('pg');
const twilio = require('twilio');

const pool = process.env.DATABASE_URL
  ? new Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
  : null;
const signed = [express.urlencoded({ extended: false }), twilio.webhook({ protocol: 'http' },
  process.env.TWILIO_AUTH_TOKEN)];

/* CallStatus -> event, next state; the same words as the gateway stores. */
const steps = {
  initiated: ['initiated', 'queued'],
  ringing: ['ringing', 'ringing'],
  'in-progress': ['answered', 'answered'],
  completed: ['completed', 'ended'],
};

const store = {
  name: 'store',
  text: `WITH written AS (
      INSERT INTO call_events (call_id, source, source_sid, sequence, event, at)
      VALUES ($1, 'call', $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING call_id)
    UPDATE calls SET state = $6::text,
      outcome = CASE WHEN $6 = 'ended' THEN $4 END,
      ringing_at = CASE WHEN $4 = 'ringing' THEN $5 ELSE ringing_at END,
      answered_at = CASE WHEN $4 = 'answered' THEN $5 ELSE answered_at END,
      ended_at = CASE WHEN $6 = 'ended' THEN $5 END,
      deadline_at = CASE WHEN $6 <> 'ended' THEN now() + interval '60 seconds' END
    FROM written WHERE calls.id = written.call_id AND calls.state <> 'ended'`,
};

const app = express();

app.post('/api/calls-twiml/webhook/status', signed, async (req, res) => {
  const step = steps[req.body.CallStatus];
  if (!step || !req.query.call) return res.sendStatus(400);
  try {
    await pool.query({ ...store, values: [req.query.call, req.body.CallSid,
      req.body.SequenceNumber, step[0], new Date(req.body.Timestamp), step[1]] });
    return res.sendStatus(204);
  } catch (error) {
    console.error(error.message);
    return res.sendStatus(503);
  }
});

app.post('/api/calls-twiml/twiml-agent', signed, (req, res) => {
  const response = new twilio.twiml.VoiceResponse();
  response.dial().conference({
    beep: false,
    endConferenceOnExit: false,
    startConferenceOnEnter: true,
    waitUrl: '',
    participantLabel: req.body['SipHeader_X-Ovx-Leg'],
    statusCallback: `http://${req.headers.host}/api/calls-twiml/webhook/conference?session=1`,
    statusCallbackEvent: 'start end join leave mute hold',
  }, 'ovx-bench-1-0');
  res.type('text/xml').send(response.toString());
});

const page = {
  name: 'page',
  text: `SELECT q.id, q.state, q.priority, q.outcome, q.attempts, q.run_at, q.queued_at,
      q.dialed_at, q.completed_at, c.id AS contact_id, c.first_name, c.last_name, c.phone, c.email,
      c.attempts AS contact_attempts, c.last_outcome, c.last_attempt_at, c.locked_by, l.id AS list_id,
      l.name AS list_name
    FROM queue_entries q JOIN contacts c ON c.id = q.contact_id JOIN data_lists l ON l.id = c.list_id
    WHERE q.campaign_id = $1 AND q.id > $2 ORDER BY q.id LIMIT $3`,
};
const stats = {
  name: 'stats',
  text: 'SELECT state, count(*) FROM queue_entries WHERE campaign_id = $1 GROUP BY state',
};

app.get('/api/admin/campaign-management/campaigns/:id/queue', async (req, res) => {
  try {
    const limit = Number(req.query.limit || 50);
    const [rows, counts] = await Promise.all([
      pool.query({ ...page, values: [req.params.id, req.query.after || 0, limit + 1] }),
      pool.query({ ...stats, values: [req.params.id] })]);
    const queueEntries = rows.rows.slice(0, limit).map((row) => ({
      id: row.id, queueId: row.id, campaignId: req.params.id, status: row.state,
      priority: row.priority, outcome: row.outcome, attempts: row.attempts, runAt: row.run_at,
      queuedAt: row.queued_at, dialedAt: row.dialed_at, completedAt: row.completed_at,
      contact: { id: row.contact_id, firstName: row.first_name, lastName: row.last_name,
        fullName: `${row.first_name} ${row.last_name}`, phone: row.phone, email: row.email,
        attemptCount: row.contact_attempts, lastOutcome: row.last_outcome,
        lastAttempt: row.last_attempt_at, locked: row.locked_by !== null },
      list: { id: row.list_id, listId: row.list_id, name: row.list_name },
    }));
    return res.json({ success: true, data: { queueEntries,
      stats: Object.fromEntries(counts.rows.map((row) => [row.state, Number(row.count)])),
      nextCursor: rows.rows.length > limit ? rows.rows[limit - 1].id : null } });
  } catch (error) {
    console.error(error.message);
    return res.sendStatus(503);
  }
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`port ${server.address().port}`);
});
