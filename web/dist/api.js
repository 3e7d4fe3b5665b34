/* api.ts: what the gateway says, typed after docs/openapi.yaml, and how it is asked. */
export const CAMPAIGNS = "/api/admin/campaign-management/campaigns";
export const LISTS = "/api/admin/campaign-management/data-lists";
/* A refusal, with the gateway's own sentence for people. */
export class Refusal extends Error {
    status;
    code;
    constructor(status, code, message) {
        super(message);
        this.status = status;
        this.code = code;
    }
}
export async function ask(method, path, body) {
    const init = { method, credentials: "same-origin" };
    if (body !== undefined) {
        const csv = typeof body === "string";
        init.body = csv ? body : JSON.stringify(body);
        init.headers = { "Content-Type": csv ? "text/csv" : "application/json" };
    }
    const reply = await fetch(path, init).catch(() => {
        throw new Refusal(0, "OFFLINE", "The gateway does not answer. Is it running?");
    });
    const doc = (await reply.json().catch(() => ({ success: false })));
    if (!reply.ok || !doc.success)
        throw new Refusal(reply.status, doc.error?.code ?? "UNKNOWN", doc.error?.message ?? `The gateway answered ${reply.status}.`);
    return doc.data;
}
