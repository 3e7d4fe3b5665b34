/* api.ts: what the gateway says, typed after docs/openapi.yaml, and how it is asked. */

export type Role = "admin" | "supervisor" | "agent";
export interface User { id: string; username: string; name: string; role: Role }
export interface Counts { pending: number; dialing: number; completed: number; skipped: number }
export interface Campaign {
	id: string; name: string; description: string; state: string; autoDial: boolean;
	runReason: string; agentCount: number; callerId: string; stats: Counts;
}
export interface Contact { id: string; fullName: string; phone: string; attemptCount: number }
export interface Entry {
	id: string; status: string; outcome: string | null; attempts: number; contact: Contact;
}
export interface Queue {
	queueEntries: Entry[]; stats: { total: number }; nextCursor: string | null;
}
export interface Session {
	id: string; campaignId: string; state: string; reason: string; wantsReady: boolean;
	phoneUp: boolean; twilioUp: boolean; callId: string | null;
}
export interface Agent {
	id: string; username: string; name: string; registered: boolean; userAgent: string;
	session: Session | null;
}
export interface Card {
	username: string; password: string; domain: string; realm: string; transport: string;
}
export interface Call {
	callId: string; campaignId: string; agentId: string | null; number: string; state: string;
	outcome: string | null; placedAt?: string | null;
}
export interface AgentEvent {
	agentId: string; sessionId: string; state: string; reason: string; phoneUp: boolean;
	twilioUp: boolean; callId: string | null;
}
export interface CampaignEvent { campaignId: string; reason: string }

export const CAMPAIGNS = "/api/admin/campaign-management/campaigns";
export const LISTS = "/api/admin/campaign-management/data-lists";

/* A refusal, with the gateway's own sentence for people. */
export class Refusal extends Error {
	constructor(readonly status: number, readonly code: string, message: string) {
		super(message);
	}
}

interface Envelope<T> { success: boolean; data?: T; error?: { code: string; message: string } }

export async function ask<T>(method: string, path: string, body?: object | string): Promise<T> {
	const init: RequestInit = { method, credentials: "same-origin" };

	if (body !== undefined) {
		const csv = typeof body === "string";
		init.body = csv ? body : JSON.stringify(body);
		init.headers = { "Content-Type": csv ? "text/csv" : "application/json" };
	}
	const reply = await fetch(path, init).catch(() => {
		throw new Refusal(0, "OFFLINE", "The gateway does not answer. Is it running?");
	});
	const doc = (await reply.json().catch(() => ({ success: false }))) as Envelope<T>;
	if (!reply.ok || !doc.success)
		throw new Refusal(reply.status, doc.error?.code ?? "UNKNOWN",
			doc.error?.message ?? `The gateway answered ${reply.status}.`);
	return doc.data as T;
}
