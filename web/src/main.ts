/* main.ts: the console: who is signed in, what is shown, and the stream that keeps it fresh. */

import { ask, Refusal, CAMPAIGNS } from "./api.js";
import type { Agent, AgentEvent, Call, Campaign, CampaignEvent, Queue, User } from "./api.js";
import { fill, h } from "./dom.js";
import { agentsView, callsView, campaignsView, queueView, sessionView } from "./views.js";

/* What the views draw; they change nothing in it but through act(). */
export interface State {
	user: User;
	staff: boolean;
	campaigns: Campaign[];
	agents: Agent[];
	calls: Call[]; /* newest first */
	chosen: string; /* campaign whose queue is shown */
	queue: Queue | null;
	queueNote: string; /* why there is none */
}

const CALLS_SHOWN = 20;
const SETTLE_MS = 400; /* many events, one reading */

const page = document.getElementById("page") as HTMLElement;
const account = document.getElementById("account") as HTMLElement;
const notice = document.getElementById("notice") as HTMLElement;
let state: State | null = null;
let stream: EventSource | null = null;
let settling = 0;
let noticeTimer = 0;

export function say(text: string, bad = false): void {
	clearTimeout(noticeTimer);
	notice.className = bad ? "bad" : "";
	notice.textContent = text;
	noticeTimer = window.setTimeout(() => { notice.textContent = ""; }, bad ? 9000 : 4000);
}

function fail(problem: unknown): void {
	if (problem instanceof Refusal && problem.status === 401)
		signedOut();
	else
		say(problem instanceof Error ? problem.message : String(problem), true);
}

/* Does something, says how it went, and shows what is true afterwards. */
export async function act(what: () => Promise<unknown>, done = ""): Promise<void> {
	try {
		await what();
		if (done !== "")
			say(done);
	} catch (problem) {
		fail(problem);
	}
	await refresh();
}

export function choose(campaignId: string): void {
	if (state === null)
		return;
	state.chosen = campaignId;
	void refresh();
}

/* ---- reading and drawing ---- */

async function readQueue(now: State): Promise<void> {
	now.queue = null;
	now.queueNote = now.chosen === "" ? "There is no campaign yet." : "";
	if (now.chosen === "")
		return;
	try {
		now.queue = await ask<Queue>("GET", `${CAMPAIGNS}/${now.chosen}/queue?limit=100`);
	} catch (problem) {
		if (!(problem instanceof Refusal) || problem.status === 401)
			throw problem;
		now.queueNote = problem.message;
	}
}

async function readAll(now: State): Promise<void> {
	const agentPath = now.staff ? "/api/agents" : `/api/agents/${now.user.id}`;
	const [campaigns, agents, calls] = await Promise.all([
		ask<{ campaigns: Campaign[] }>("GET", CAMPAIGNS),
		ask<{ agents?: Agent[]; agent?: Agent }>("GET", agentPath),
		ask<{ calls: Call[] }>("GET", `/api/calls?limit=${CALLS_SHOWN}`),
	]);

	now.campaigns = campaigns.campaigns;
	now.agents = agents.agents ?? (agents.agent ? [agents.agent] : []);
	now.calls = calls.calls;
	if (!now.campaigns.some((campaign) => campaign.id === now.chosen))
		now.chosen = now.agents[0]?.session?.campaignId ?? now.campaigns[0]?.id ?? "";
	await readQueue(now);
}

export async function refresh(): Promise<void> {
	const now = state;

	if (now === null)
		return;
	try {
		await readAll(now);
	} catch (problem) {
		fail(problem);
	}
	if (state === now)
		draw(now);
}

/* Sections stay, so that a screen reader or a scroll position is not thrown about. */
function section(id: string): HTMLElement {
	let found = document.getElementById(id);

	if (found === null) {
		found = h("section", { id });
		page.append(found);
	}
	return found;
}

function draw(now: State): void {
	document.getElementById("sign-in")?.remove();
	if (!now.staff)
		fill(section("session"), ...sessionView(now));
	fill(section("campaigns"), ...campaignsView(now));
	fill(section("calls"), ...callsView(now));
	fill(section("queue"), ...queueView(now));
	if (now.staff)
		fill(section("agents"), ...agentsView(now));
}

/* ---- the stream ---- */

function settle(): void {
	clearTimeout(settling);
	settling = window.setTimeout(() => void refresh(), SETTLE_MS);
}

function onCall(now: State, call: Call): void {
	const known = now.calls.find((other) => other.callId === call.callId);

	if (known)
		Object.assign(known, call);
	else
		now.calls = [call, ...now.calls].slice(0, CALLS_SHOWN);
}

function onAgent(now: State, told: AgentEvent): void {
	const session = now.agents.find((agent) => agent.id === told.agentId)?.session;

	if (session && told.state !== "offline")
		Object.assign(session, told, { id: session.id });
}

function onCampaign(now: State, told: CampaignEvent): void {
	const campaign = now.campaigns.find((one) => one.id === told.campaignId);

	if (campaign)
		campaign.runReason = told.reason;
}

function listen(now: State): void {
	const source = new EventSource("/api/events");
	const on = <T>(type: string, apply: (now: State, told: T) => void): void =>
		source.addEventListener(type, (event) => {
			apply(now, JSON.parse((event as MessageEvent<string>).data) as T);
			draw(now);
			settle();
		});

	on<Call>("call", onCall);
	on<AgentEvent>("agent", onAgent);
	on<CampaignEvent>("campaign", onCampaign);
	source.addEventListener("resync", settle);
	source.addEventListener("open", settle);
	/* A refused stream is not tried again by the browser: the session may be over. */
	source.addEventListener("error", () => {
		if (source.readyState === EventSource.CLOSED)
			window.setTimeout(() => void start(), 3000);
	});
	stream = source;
}

/* ---- signing in and out ---- */

function signedOut(): void {
	stream?.close();
	state = null;
	fill(account);
	const form = h("form", { id: "sign-in", class: "card", submit: signIn },
		h("h1", {}, "Sign in"),
		h("label", {}, "User name",
			h("input", { name: "username", autocomplete: "username", required: true })),
		h("label", {}, "Password", h("input", { name: "password", type: "password",
			autocomplete: "current-password", required: true })),
		h("button", { class: "primary" }, "Sign in"));

	fill(page, form);
	form.querySelector("input")?.focus();
}

function signIn(event: Event): void {
	const form = event.target as HTMLFormElement;

	event.preventDefault();
	ask("POST", "/api/auth/login", Object.fromEntries(new FormData(form)) as object)
		.then(start, (problem: Error) => say(problem.message, true));
}

async function signOut(): Promise<void> {
	await ask("POST", "/api/auth/logout").catch(fail);
	signedOut();
}

async function start(): Promise<void> {
	stream?.close();
	try {
		const { user } = await ask<{ user: User }>("GET", "/api/auth/me");
		state = { user, staff: user.role !== "agent", campaigns: [], agents: [], calls: [],
			chosen: "", queue: null, queueNote: "" };
		fill(account, h("span", {}, user.name), badgeOf(user),
			h("button", { id: "sign-out", click: () => void signOut() }, "Sign out"));
		await refresh();
		listen(state);
	} catch (problem) {
		if (problem instanceof Refusal && problem.status !== 401)
			say(problem.message, true);
		signedOut();
	}
}

function badgeOf(user: User): HTMLElement {
	return h("span", { class: "badge" }, user.role);
}

void start();
