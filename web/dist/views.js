/* views.ts: what is on the page: each function draws one section from the state. */
import { ask, CAMPAIGNS, LISTS } from "./api.js";
import { badge, h, fillIn, show, table } from "./dom.js";
import { act, choose, say } from "./main.js";
function button(id, text, what, kind = "") {
    return h("button", { id, class: kind, type: "button", click: what }, text);
}
function heading(title, ...beside) {
    return h("div", { class: "row" }, h("h2", {}, title), ...beside);
}
/* ---- campaigns ---- */
function counts(campaign) {
    const { pending, dialing, completed } = campaign.stats;
    const bar = h("progress", { max: String(pending + dialing + completed || 1),
        value: String(completed), "aria-label": "Contacts completed" });
    return h("div", { class: "counts" }, bar, h("span", {}, `${pending} waiting · ${dialing} dialling · ${completed} done`));
}
function autoDial(campaign) {
    const path = `${CAMPAIGNS}/${campaign.id}/auto-dial`;
    return campaign.autoDial
        ? button(`stop-${campaign.id}`, "Stop auto-dial", () => void act(() => ask("POST", `${path}/stop`), "Auto-dial was stopped."))
        : button(`start-${campaign.id}`, "Start auto-dial", () => void act(() => ask("POST", path), "Auto-dial was started."), "primary");
}
function campaignCard(now, campaign) {
    const chosen = campaign.id === now.chosen;
    return h("article", { class: chosen ? "card chosen" : "card" }, h("div", { class: "row" }, h("h3", {}, campaign.name), badge(campaign.state)), counts(campaign), h("p", { class: "reason", role: "status" }, campaign.runReason || "Nothing is dialled by itself: auto-dial is off."), h("div", { class: "row" }, now.staff && campaign.state !== "completed" ? autoDial(campaign) : null, h("button", { id: `queue-${campaign.id}`, "aria-pressed": String(chosen),
        click: () => choose(campaign.id) }, "Show queue"), now.staff ? button(`list-${campaign.id}`, "Add contacts", () => void addContacts(campaign)) : null));
}
async function newCampaign() {
    const typed = await fillIn("New campaign", [["name", "Name", "text"]], "Create");
    if (typed !== null)
        await act(() => ask("POST", CAMPAIGNS, { name: typed.get("name") }), "The campaign was created.");
}
async function addContacts(campaign) {
    const typed = await fillIn(`Contacts for ${campaign.name}`, [["name", "Name of the list", "text"],
        ["file", "CSV file with the columns phone, first_name, last_name, email", "file"]], "Upload");
    if (typed === null)
        return;
    await act(async () => {
        const csv = await typed.get("file").text();
        const { dataList } = await ask("POST", LISTS, { name: typed.get("name"), campaignId: campaign.id });
        const { upload } = await ask("POST", `${LISTS}/${dataList.id}/upload`, csv);
        await ask("POST", `${CAMPAIGNS}/${campaign.id}/generate-queue`);
        say(`${upload.uploaded} contacts were queued, ${upload.rejected} rows could not be read.`);
    });
}
export function campaignsView(now) {
    return [heading("Campaigns", now.staff ? button("new-campaign", "New campaign", () => void newCampaign()) : null),
        now.campaigns.length === 0
            ? h("p", { class: "empty" }, "There is no campaign yet.")
            : h("div", { class: "cards" }, ...now.campaigns.map((one) => campaignCard(now, one)))];
}
/* ---- calls ---- */
function nameOf(now, agentId) {
    if (agentId === now.user.id)
        return now.user.name;
    return now.agents.find((agent) => agent.id === agentId)?.name ?? "–";
}
function callRow(now, call) {
    const live = call.state !== "ended";
    return [call.number, badge(live ? call.state : call.outcome ?? "ended"),
        nameOf(now, call.agentId),
        live ? button(`hangup-${call.callId}`, "End call", () => void act(() => ask("POST", `/api/calls/${call.callId}/hangup`), "The call is being ended."))
            : ""];
}
export function callsView(now) {
    const live = now.calls.filter((call) => call.state !== "ended");
    const rest = now.calls.filter((call) => call.state === "ended");
    return [heading("Calls", badge(`${live.length} live`)),
        table("Calls, the live ones first", ["Number", "State", "Agent", ""], [...live, ...rest].map((call) => callRow(now, call)), "Nobody has been called yet.")];
}
/* ---- the queue ---- */
function entryRow(now, entry) {
    const path = `${CAMPAIGNS}/${now.chosen}/queue/${entry.id}/call`;
    return [entry.contact.fullName || "–", entry.contact.phone, badge(entry.status),
        entry.outcome === null ? "–" : badge(entry.outcome), String(entry.attempts),
        entry.status === "pending" ? button(`call-${entry.id}`, "Call now", () => void act(() => ask("POST", path), `Calling ${entry.contact.phone}.`)) : ""];
}
export function queueView(now) {
    const campaign = now.campaigns.find((one) => one.id === now.chosen);
    const entries = now.queue?.queueEntries ?? [];
    const more = (now.queue?.stats.total ?? 0) - entries.length;
    return [heading(campaign ? `Queue of ${campaign.name}` : "Queue"),
        table("Contacts of the queue", ["Name", "Number", "Status", "Last outcome", "Attempts", ""], entries.map((entry) => entryRow(now, entry)), now.queueNote || "No contact is queued. Add contacts to the campaign."),
        more > 0 ? h("p", { class: "empty" }, `And ${more} more.`) : null];
}
/* ---- agents ---- */
/* Where the way from phone to customer ends, in words. */
function lines(agent) {
    if (agent.session === null)
        return agent.registered ? "phone registered" : "no phone";
    return `phone ${agent.session.phoneUp ? "connected" : "away"}, `
        + `line ${agent.session.twilioUp ? "up" : "down"}`;
}
function wishes(agent, campaignId) {
    const path = `/api/agents/${agent.id}/session`;
    const wish = (name, text, method, at, body, kind = "") => button(`${name}-${agent.id}`, text, () => void act(() => ask(method, at, body)), kind);
    if (agent.session === null)
        return h("div", { class: "row" }, wish("in", "Sign in", "POST", path, { campaignId }, "primary"));
    return h("div", { class: "row" }, agent.session.wantsReady
        ? wish("pause", "Pause", "POST", `${path}/pause`, { reason: "break" })
        : wish("ready", "Ready", "POST", `${path}/ready`, undefined, "primary"), wish("out", "Sign out", "DELETE", path));
}
function agentRow(now, agent) {
    const session = agent.session;
    return [agent.name, badge(session?.state ?? "offline"),
        session === null ? "" : session.reason, lines(agent),
        h("div", { class: "row" }, wishes(agent, now.chosen), button(`join-${agent.id}`, "Add to campaign", () => void act(() => ask("POST", `${CAMPAIGNS}/${now.chosen}/join-agent`, { agentId: agent.id }), "The agent is on the campaign.")))];
}
async function newAgent() {
    const typed = await fillIn("New agent", [["username", "User name", "text"],
        ["name", "Full name", "text"]], "Create");
    if (typed === null)
        return;
    await act(async () => {
        const made = await ask("POST", "/api/agents", Object.fromEntries(typed));
        show("Shown once: write it down", [["Console password", made.password],
            ["SIP user", made.sip.username], ["SIP password", made.sip.password],
            ["SIP domain", made.sip.domain], ["Transport", made.sip.transport]]);
    });
}
export function agentsView(now) {
    return [heading("Agents", button("new-agent", "New agent", () => void newAgent())),
        table("Agents", ["Name", "State", "Reason", "Connection", ""], now.agents.map((agent) => agentRow(now, agent)), "There is no agent yet.")];
}
/* An agent's own panel. */
export function sessionView(now) {
    const agent = now.agents[0];
    if (agent === undefined)
        return [];
    return [h("div", { class: "card" }, h("div", { class: "row" }, h("h2", {}, "You are"), badge(agent.session?.state ?? "offline"), h("span", { class: "reason" }, agent.session?.reason ?? "")), h("p", {}, lines(agent)), wishes(agent, now.chosen))];
}
