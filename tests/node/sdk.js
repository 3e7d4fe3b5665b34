// sdk.js: Twilio's own SDK at work on the sandbox. Reads {base, account, token, from, hook} and
// prints {checks: [[what, got, expected]], answers: [{method, path, status, body}]}.
'use strict';

const twilio = require('twilio');
const {base, account, token, from, hook} = JSON.parse(require('fs').readFileSync(0, 'utf8'));

const checks = [];
const answers = [];
const is = (got, expected, what) => checks.push([what, got === undefined ? null : got, expected]);
const sleep = ms => new Promise(done => setTimeout(done, ms));

// Notes every answer; the rest is the SDK's, with its retries.
class Noting extends twilio.RequestClient {
	async request(options) {
		const answer = await super.request(options);
		answers.push({method: options.method.toUpperCase(), path: new URL(options.uri).pathname,
			status: answer.statusCode, body: answer.body || null});
		return answer;
	}
}

const client = twilio(account, token, {httpClient: new Noting({autoRetry: true, maxRetries: 3})});
client.api.baseUrl = base;

const control = (method, path, body) => fetch(`${base}/sandbox/${path}`, {method, body: JSON.stringify(body)});
const until = async (what, ask) => {
	for (let i = 0; i < 200; i++) {
		if (await ask())
			return is(true, true, what);
		await sleep(50);
	}
	is(false, true, what);
};
const fails = async (code, what, work) => {
	try {
		await work();
		is(null, code, what);
	} catch (error) {
		is(error.code, code, what);
		is(error.moreInfo, `https://www.twilio.com/docs/errors/${code}`, `${what}: with its page`);
	}
};

async function calls() {
	const call = await client.calls.create({to: '+14160001', from, url: `${hook}/wait`, statusCallback: `${hook}/status`,
		statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed']});
	is(call.status, 'queued', 'a call is created');
	await until('and answered', async () => (await client.calls(call.sid).fetch()).status === 'in-progress');
	is((await client.calls(call.sid).fetch()).dateCreated instanceof Date, true, 'its date is one');
	await client.calls(call.sid).update({twiml: '<Response><Pause length="300"/></Response>'});
	await client.calls(call.sid).update({status: 'completed'});
	await until('and ended', async () => (await client.calls(call.sid).fetch()).status === 'completed');
	await fails(21220, 'what is over is not redirected', () => client.calls(call.sid).update({twiml: '<Response/>'}));
	is((await client.calls(call.sid).fetch()).duration !== null, true, 'it has a duration');
	for (let i = 0; i < 7; i++)
		await client.calls.create({to: `+1500000${i}`, from, twiml: '<Response/>'});
	const pages = await client.calls.list({pageSize: 3});
	is(new Set(pages.map(c => c.sid)).size, 8, 'all are listed, over several pages');
	is((await client.calls.list({limit: 5, pageSize: 2})).length, 5, 'or as many as are wanted');
	const hour = new Date(Date.now() - 3600000);
	is((await client.calls.list({startTimeAfter: hour})).length, 8, 'those of the last hour');
	is((await client.calls.list({startTimeBefore: hour})).length, 0, 'none before');
	is((await client.calls.list({to: '+14160001', status: 'completed'})).length, 1, 'filtered');
	is(await client.calls(call.sid).remove(), true, 'one is deleted');
	await fails(20404, 'and not found', () => client.calls(call.sid).fetch());
	await fails(21211, 'a bad number', () => client.calls.create({to: '12', from, twiml: '<Response/>'}));
	await fails(21210, 'a foreign number', () => client.calls.create({to: '+14160001', from: '+19998887777', twiml: '<Response/>'}));
	await fails(20003, 'a wrong password', async () => {
		const stranger = twilio(account, 'wrong');
		stranger.api.baseUrl = base;
		await stranger.calls.list({limit: 1});
	});
}

async function conference() {
	const one = await client.conferences('sdk room').participants.create({to: '+14160002', from, label: 'agent 1',
		beep: 'false', endConferenceOnExit: false, conferenceStatusCallback: `${hook}/conference`,
		conferenceStatusCallbackEvent: ['start', 'end', 'join', 'leave', 'mute', 'hold']});
	const two = await client.conferences('sdk room').participants.create({to: '+14160003', from, label: 'customer'});
	is(one.label, 'agent 1', 'a participant is created');
	let found;
	await until('a conference is in progress', async () => {
		[found] = await client.conferences.list({friendlyName: 'sdk room', status: 'in-progress'});
		return found && (await client.conferences(found.sid).participants.list()).length === 2;
	});
	const agent = client.conferences(found.sid).participants('agent 1');
	is((await agent.update({muted: true})).muted, true, 'found by a label with a blank, muted');
	is((await agent.update({hold: true, holdUrl: `${hook}/hold`})).hold, true, 'held');
	is((await client.conferences(found.sid).participants.list({hold: true})).length, 1, 'the held are listed');
	is((await agent.update({hold: false})).hold, false, 'and back');
	const recording = await client.calls(two.callSid).recordings.create({recordingChannels: 'dual',
		recordingStatusCallback: `${hook}/recording`, recordingStatusCallbackEvent: ['completed']});
	is(recording.channels, 2, 'a recording is started');
	await sleep(400);
	is((await client.calls(two.callSid).recordings('Twilio.CURRENT').update({status: 'paused'})).status, 'paused', 'paused');
	is((await client.calls(two.callSid).recordings(recording.sid).update({status: 'stopped'})).status, 'stopped', 'stopped');
	await until('and completed', async () => (await client.recordings(recording.sid).fetch()).status === 'completed');
	is((await client.recordings.list({callSid: two.callSid})).length, 1, 'listed');
	is(await client.recordings(recording.sid).remove(), true, 'removed');
	const said = client.calls(two.callSid).transcriptions;
	const spoken = await said.create({name: 'words', statusCallbackUrl: `${hook}/said`, track: 'both_tracks'});
	is(spoken.status, 'in-progress', 'a transcription is started');
	is((await said('words').update({status: 'stopped'})).sid, spoken.sid, 'and stopped by its name');
	is(await agent.remove(), true, 'a participant is removed');
	is((await client.conferences(found.sid).update({status: 'completed'})).status, 'completed', 'the conference is ended');
}

async function settings() {
	const [number] = await client.incomingPhoneNumbers.list({phoneNumber: from});
	is((await client.incomingPhoneNumbers(number.sid).update({voiceUrl: `${hook}/wait`})).voiceUrl, `${hook}/wait`, 'a number is set');
	const app = await client.applications.create({friendlyName: 'x', voiceUrl: `${hook}/wait`});
	is((await client.applications.list({friendlyName: 'x'})).length, 1, 'an application');
	is(await client.applications(app.sid).remove(), true, 'comes and goes');
	const domain = await client.sip.domains.create({domainName: 'sdk.sip.twilio.com', sipRegistration: true});
	const list = await client.sip.credentialLists.create({friendlyName: 'x'});
	await client.sip.credentialLists(list.sid).credentials.create({username: 'u', password: 'Correct-Horse-9'});
	await client.sip.domains(domain.sid).auth.calls.credentialListMappings.create({credentialListSid: list.sid});
	await client.sip.domains(domain.sid).auth.registrations.credentialListMappings.create({credentialListSid: list.sid});
	is((await client.sip.domains(domain.sid).fetch()).authType, 'CREDENTIAL_LIST', 'a domain with its credentials');
	is((await client.sip.domains(domain.sid).auth.calls.credentialListMappings.list()).length, 1, 'mapped');
	is(await client.sip.domains(domain.sid).remove(), true, 'and gone');
	is((await client.queues.create({friendlyName: 'line'})).maxSize > 0, true, 'a queue');
	is((await client.validationRequests.create({phoneNumber: '+14155550177'})).validationCode.length, 6, 'a caller id');
	is((await client.outgoingCallerIds.list()).length, 1, 'listed');
	is((await client.api.v2010.accounts(account).fetch()).status, 'active', 'the account');
}

async function limits() {
	const before = (await client.calls.list()).length;
	await control('PUT', 'faults', {kind: 'http429', rate: 0.5, seed: 3});
	for (let i = 0; i < 5; i++)
		await client.calls.create({to: `+1500001${i}`, from, twiml: '<Response/>'});
	await control('PUT', 'faults', {kind: 'http429', rate: 0});
	is((await client.calls.list()).length - before, 5, 'refused for being too many, the SDK tries again, and dials once each');
	const {faults} = await (await fetch(`${base}/sandbox/faults`)).json();
	is(faults.find(f => f.kind === 'http429').fired > 0, true, 'it was refused');
	await control('PUT', 'faults', {kind: 'http500', rate: 1});
	await fails(20500, 'a failure is no reason to try again', () => client.calls.create({to: '+15000019', from, twiml: '<Response/>'}));
	await control('PUT', 'faults', {kind: 'http500', rate: 0});
}

(async () => {
	await calls();
	await conference();
	await settings();
	await limits();
	console.log(JSON.stringify({checks, answers}));
})();
