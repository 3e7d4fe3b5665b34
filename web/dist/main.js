/* main.ts: the console: who is signed in, what is shown, and the stream that keeps it fresh. */
import { ask, Refusal, CAMPAIGNS } from "./api.js";
import { fill, h } from "./dom.js";
import { agentsView, callsView, campaignsView, queueView, sessionView } from "./views.js";
const CALLS_SHOWN = 20;
const SETTLE_MS = 400; /* many events, one reading */
const page = document.getElementById("page");
const account = document.getElementById("account");
const notice = document.getElementById("notice");
let state = null;
let stream = null;
let settling = 0;
let noticeTimer = 0;
export function say(text, bad = false) {
    clearTimeout(noticeTimer);
    notice.className = bad ? "bad" : "";
    notice.textContent = text;
    noticeTimer = window.setTimeout(() => { notice.textContent = ""; }, bad ? 9000 : 4000);
}
function fail(problem) {
    if (problem instanceof Refusal && problem.status === 401)
        signedOut();
    else
        say(problem instanceof Error ? problem.message : String(problem), true);
}
/* Does something, says how it went, and shows what is true afterwards. */
export async function act(what, done = "") {
    try {
        await what();
        if (done !== "")
            say(done);
    }
    catch (problem) {
        fail(problem);
    }
    await refresh();
}
export function choose(campaignId) {
    if (state === null)
        return;
    state.chosen = campaignId;
    void refresh();
}
/* ---- reading and drawing ---- */
async function readQueue(now) {
    now.queue = null;
    now.queueNote = now.chosen === "" ? "There is no campaign yet." : "";
    if (now.chosen === "")
        return;
    try {
        now.queue = await ask("GET", `${CAMPAIGNS}/${now.chosen}/queue?limit=100`);
    }
    catch (problem) {
        if (!(problem instanceof Refusal) || problem.status === 401)
            throw problem;
        now.queueNote = problem.message;
    }
}
async function readAll(now) {
    const agentPath = now.staff ? "/api/agents" : `/api/agents/${now.user.id}`;
    const [campaigns, agents, calls] = await Promise.all([
        ask("GET", CAMPAIGNS),
        ask("GET", agentPath),
        ask("GET", `/api/calls?limit=${CALLS_SHOWN}`),
    ]);
    now.campaigns = campaigns.campaigns;
    now.agents = agents.agents ?? (agents.agent ? [agents.agent] : []);
    now.calls = calls.calls;
    if (!now.campaigns.some((campaign) => campaign.id === now.chosen))
        now.chosen = now.agents[0]?.session?.campaignId ?? now.campaigns[0]?.id ?? "";
    await readQueue(now);
}
export async function refresh() {
    const now = state;
    if (now === null)
        return;
    try {
        await readAll(now);
    }
    catch (problem) {
        fail(problem);
    }
    if (state === now)
        draw(now);
}
/* Sections stay, so that a screen reader or a scroll position is not thrown about. */
function section(id) {
    let found = document.getElementById(id);
    if (found === null) {
        found = h("section", { id });
        page.append(found);
    }
    return found;
}
function draw(now) {
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
function settle() {
    clearTimeout(settling);
    settling = window.setTimeout(() => void refresh(), SETTLE_MS);
}
function onCall(now, call) {
    const known = now.calls.find((other) => other.callId === call.callId);
    if (known)
        Object.assign(known, call);
    else
        now.calls = [call, ...now.calls].slice(0, CALLS_SHOWN);
}
function onAgent(now, told) {
    const session = now.agents.find((agent) => agent.id === told.agentId)?.session;
    if (session && told.state !== "offline")
        Object.assign(session, told, { id: session.id });
}
function onCampaign(now, told) {
    const campaign = now.campaigns.find((one) => one.id === told.campaignId);
    if (campaign)
        campaign.runReason = told.reason;
}
function listen(now) {
    const source = new EventSource("/api/events");
    const on = (type, apply) => source.addEventListener(type, (event) => {
        apply(now, JSON.parse(event.data));
        draw(now);
        settle();
    });
    on("call", onCall);
    on("agent", onAgent);
    on("campaign", onCampaign);
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
function signedOut() {
    stream?.close();
    state = null;
    fill(account);
    const form = h("form", { id: "sign-in", class: "card", submit: signIn }, h("h1", {}, "Sign in"), h("label", {}, "User name", h("input", { name: "username", autocomplete: "username", required: true })), h("label", {}, "Password", h("input", { name: "password", type: "password",
        autocomplete: "current-password", required: true })), h("button", { class: "primary" }, "Sign in"));
    fill(page, form);
    form.querySelector("input")?.focus();
}
function signIn(event) {
    const form = event.target;
    event.preventDefault();
    ask("POST", "/api/auth/login", Object.fromEntries(new FormData(form)))
        .then(start, (problem) => say(problem.message, true));
}
async function signOut() {
    await ask("POST", "/api/auth/logout").catch(fail);
    signedOut();
}
async function start() {
    stream?.close();
    try {
        const { user } = await ask("GET", "/api/auth/me");
        state = { user, staff: user.role !== "agent", campaigns: [], agents: [], calls: [],
            chosen: "", queue: null, queueNote: "" };
        fill(account, h("span", {}, user.name), badgeOf(user), h("button", { id: "sign-out", click: () => void signOut() }, "Sign out"));
        await refresh();
        listen(state);
    }
    catch (problem) {
        if (problem instanceof Refusal && problem.status !== 401)
            say(problem.message, true);
        signedOut();
    }
}
function badgeOf(user) {
    return h("span", { class: "badge" }, user.role);
}
void start();
