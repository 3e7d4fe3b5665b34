/* dialog_resume.c: a confirmed dialog as text, and from text back to a dialog. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sip/dialog_room.h"

#include "base/clock.h"
#include "base/text.h"

/*
 * Behind whatever the old process sent after its last snapshot: seconds of the wall clock go up
 * faster than requests do (RFC 3261 8.1.1.5).
 */
static uint32_t next_seq(const struct sip_dialog_state *s)
{
	uint32_t now_s = (uint32_t)(clock_wall_ms() / 1000) & 0x7fffffff;

	return now_s > s->local_seq ? now_s : s->local_seq + 1;
}

static int print_uri(const url_t *url, char buf[SIP_URI_SIZE])
{
	isize_t len = url_e(buf, SIP_URI_SIZE, url);

	return len < 0 || (size_t)len >= SIP_URI_SIZE ? -EMSGSIZE : 0;
}

static int print_routes(const sip_route_t *route, char buf[SIP_ROUTES_SIZE])
{
	char uri[SIP_URI_SIZE];
	size_t len = 0;
	int n;

	buf[0] = '\0';
	for (; route != NULL; route = route->r_next) {
		if (print_uri(route->r_url, uri) < 0)
			return -EMSGSIZE;
		n = snprintf(buf + len, SIP_ROUTES_SIZE - len, "%s<%s>",
			len > 0 ? ", " : "", uri);
		if (n < 0 || (size_t)n >= SIP_ROUTES_SIZE - len)
			return -EMSGSIZE;
		len += (size_t)n;
	}
	return 0;
}

/*
 * The leg's own addresses are seen only in what it sends: an in-dialog request is completed
 * here, read and thrown away, with a method that does not count CSeq up.
 */
static int read_leg(const struct sip_dialog *d, struct sip_dialog_state *s)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;
	msg_t *msg = nta_msg_create(d->edge->agent, 0);
	const sip_t *sip = sip_object(msg);
	int rc = -EMSGSIZE;

	if (msg == NULL)
		return -ENOMEM;
	if (nta_msg_request_complete(msg, d->leg, SIP_METHOD_ACK, NULL) < 0)
		goto out;
	(void)nta_leg_get_route(d->leg, &route, &target);
	if (text_copy(s->call_id, sizeof(s->call_id), sip->sip_call_id->i_id) < 0 ||
		text_copy(s->local_tag, sizeof(s->local_tag), nta_leg_get_tag(d->leg)) <
			0 ||
		text_copy(s->remote_tag, sizeof(s->remote_tag),
			nta_leg_get_rtag(d->leg)) < 0)
		goto out;
	if (print_uri(sip->sip_from->a_url, s->local_uri) < 0 ||
		print_uri(sip->sip_to->a_url, s->remote_uri) < 0 ||
		print_uri(sip->sip_request->rq_url, s->remote_target) < 0 ||
		print_routes(route, s->routes) < 0)
		goto out;
	if (target != NULL && print_uri(target->m_url, s->remote_target) < 0)
		goto out;
	rc = 0;
out:
	msg_destroy(msg);
	return rc;
}

int sip_dialog_state(const struct sip_dialog *d, struct sip_dialog_state *ret_state)
{
	struct sip_dialog_state s = {0};
	int rc;

	if (d->phase != DIALOG_UP)
		return -ENOTCONN;
	rc = read_leg(d, &s);
	if (rc < 0)
		return rc;
	s.local_seq = nta_leg_get_seq(d->leg);
	s.remote_seq = nta_leg_get_rseq(d->leg);
	(void)text_copy(s.next_hop, sizeof(s.next_hop), d->next_hop);
	(void)text_copy(s.local_sdp, sizeof(s.local_sdp), d->local_sdp);
	(void)text_copy(s.remote_sdp, sizeof(s.remote_sdp), d->remote_sdp);
	*ret_state = s;
	return 0;
}

/* Route set and target; as a server's, because they are in the order of use already. */
static int set_routes(struct sip_dialog *d, const struct sip_dialog_state *s)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	char target[SIP_URI_SIZE + 2];
	sip_record_route_t *routes = NULL;
	sip_contact_t *contact;
	int rc = -EINVAL;

	(void)snprintf(target, sizeof(target), "<%s>", s->remote_target);
	contact = sip_contact_make(home, target);
	if (s->routes[0] != '\0')
		routes = sip_record_route_make(home, s->routes);
	if (contact != NULL && (routes != NULL || s->routes[0] == '\0'))
		rc = nta_leg_server_route(d->leg, routes, contact) < 0 ? -ENOMEM : 0;
	su_home_deinit(home);
	return rc;
}

int sip_dialog_resume(struct sip_edge *edge, const struct sip_dialog_state *s,
	const struct sip_dialog_events *events, struct sip_dialog **ret_dialog)
{
	char local[SIP_URI_SIZE + sizeof(s->local_tag) + 8];
	char remote[SIP_URI_SIZE + sizeof(s->remote_tag) + 8];
	struct sip_dialog *d;
	int rc;

	if (s->local_tag[0] == '\0' || s->remote_tag[0] == '\0' || s->call_id[0] == '\0')
		return -EINVAL;
	rc = dialog_new(edge, s->next_hop, events, &d);
	if (rc < 0)
		return rc;
	(void)snprintf(local, sizeof(local), "<%s>;tag=%s", s->local_uri, s->local_tag);
	(void)snprintf(
		remote, sizeof(remote), "<%s>;tag=%s", s->remote_uri, s->remote_tag);
	rc = dialog_make_leg(d, s->call_id, local, remote, next_seq(s), s->remote_seq);
	if (rc == 0)
		rc = set_routes(d, s);
	if (rc == 0)
		rc = text_copy(d->local_sdp, sizeof(d->local_sdp), s->local_sdp);
	if (rc == 0)
		rc = text_copy(d->remote_sdp, sizeof(d->remote_sdp), s->remote_sdp);
	if (rc < 0) {
		sip_dialog_free(&d);
		return rc;
	}
	d->phase = DIALOG_UP;
	*ret_dialog = d;
	return 0;
}
