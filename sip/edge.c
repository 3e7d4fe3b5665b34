/*
 * edge.c: the transport, and the first look at requests that belong to no dialog.
 *
 * All of them are answered without a transaction: sofia-sip keeps one for 32 s and 10 kB.
 */
#include "sip/edge.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip/room.h"

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "sip/loop.h"

/* The largest message that is read; sofia's own limit is 2 MB. */
#define MESSAGE_MAX 65535
#define HOST_MAX 200

void edge_source(msg_t *msg, struct addr *ret_addr)
{
	const su_sockaddr_t *sa = msg_addr(msg);
	struct addr addr = {0};

	addr.len = sa->su_family == AF_INET6 ? (socklen_t)sizeof(struct sockaddr_in6)
					     : (socklen_t)sizeof(struct sockaddr_in);
	memcpy(&addr.sa, sa, addr.len);
	*ret_addr = addr;
}

static void refuse(struct sip_edge *edge, msg_t *msg, int status, const char *phrase)
{
	(void)nta_msg_treply(edge->agent, msg, status, phrase,
		SIPTAG_SERVER_STR(edge->user_agent), SIPTAG_ALLOW_STR(SIP_ALLOW),
		TAG_END());
}

static void refuse_extension(struct sip_edge *edge, msg_t *msg, const sip_t *sip)
{
	sip_unsupported_t *unsupported =
		sip_has_unsupported(msg_home(msg), NULL, sip->sip_require);

	(void)nta_msg_treply(edge->agent, msg, SIP_420_BAD_EXTENSION,
		SIPTAG_SERVER_STR(edge->user_agent), SIPTAG_UNSUPPORTED(unsupported),
		TAG_END());
}

static void answer_options(struct sip_edge *edge, msg_t *msg)
{
	(void)nta_msg_treply(edge->agent, msg, SIP_200_OK,
		SIPTAG_SERVER_STR(edge->user_agent), SIPTAG_ALLOW_STR(SIP_ALLOW),
		SIPTAG_ACCEPT_STR("application/sdp"), TAG_END());
}

/*
 * What is wrong with a request whatever its method; 0: nothing. The branch matters most:
 * incoming_find() reads past one that is shorter than the magic cookie.
 */
static int check_request(const sip_t *sip, const char **ret_phrase)
{
	const char *branch = sip->sip_via != NULL ? sip->sip_via->v_branch : NULL;
	const url_t *url = sip->sip_request->rq_url;

	*ret_phrase = NULL; /* sofia knows the usual words */
	if (branch == NULL || strlen(branch) < 8 ||
		strncasecmp(branch, "z9hG4bK", 7) != 0) {
		*ret_phrase = "Bad Via Branch";
		return 400;
	}
	if (sip->sip_max_forwards != NULL && sip->sip_max_forwards->mf_count == 0)
		return 483;
	if (url->url_type != url_sip && url->url_type != url_sips)
		return 416;
	if (sip->sip_require != NULL && sip->sip_request->rq_method != sip_method_cancel)
		return 420;
	return 0;
}

/* By method, for a request that is sound and belongs to no dialog. */
static void dispatch_method(struct sip_edge *edge, msg_t *msg, const sip_t *sip)
{
	switch (sip->sip_request->rq_method) {
	case sip_method_register:
		registrar_recv(edge->registrar, msg, sip);
		return;
	case sip_method_options:
		answer_options(edge, msg);
		return;
	case sip_method_invite:
		refuse(edge, msg, SIP_403_FORBIDDEN);
		return;
	case sip_method_bye:
	case sip_method_cancel:
	case sip_method_update:
	case sip_method_prack:
	case sip_method_info:
		refuse(edge, msg, SIP_481_NO_CALL);
		return;
	case sip_method_subscribe:
	case sip_method_notify:
	case sip_method_publish:
		refuse(edge, msg, SIP_489_BAD_EVENT);
		return;
	default:
		refuse(edge, msg, SIP_405_METHOD_NOT_ALLOWED);
	}
}

static int on_message(struct sip_edge *edge, nta_agent_t *agent, msg_t *msg, sip_t *sip)
{
	const char *phrase;
	int status;

	(void)agent;
	if (sip == NULL || sip->sip_request == NULL ||
		sip->sip_request->rq_method == sip_method_ack) {
		nta_msg_discard(edge->agent, msg);
		return 0;
	}
	status = check_request(sip, &phrase);
	if (status == 420)
		refuse_extension(edge, msg, sip);
	else if (status != 0)
		refuse(edge, msg, status,
			phrase != NULL ? phrase : sip_status_phrase(status));
	else if (sip->sip_to->a_tag != NULL &&
		 sip->sip_request->rq_method != sip_method_register)
		refuse(edge, msg, SIP_481_NO_TRANSACTION);
	else
		dispatch_method(edge, msg, sip);
	return 0;
}

static void log_sofia(void *stream, const char *fmt, va_list ap)
{
	char line[512];
	int len;

	(void)stream;
	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	len = vsnprintf(line, sizeof(line), fmt, ap);
	if (len < 0)
		return;
	line[strcspn(line, "\r\n")] = '\0';
	log_debug("sofia", 0, "%s", line);
}

/* IPv6 in brackets, as URIs want it. */
static const char *uri_host(const char *host, char *buf, size_t size)
{
	(void)snprintf(buf, size,
		strchr(host, ':') != NULL && host[0] != '[' ? "[%s]" : "%s", host);
	return buf;
}

/* sofia-sip forgets why it could not bind, so that is asked before. */
static int probe(const struct addr *addr)
{
	int fd = socket(addr->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 || bind(fd, (const struct sockaddr *)&addr->sa, addr->len) < 0
			 ? -errno
			 : 0;

	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static int start_agent(struct sip_edge *edge, const char *bind_host, struct err *err)
{
	char bind_text[ADDR_TEXT_SIZE + 2], host_text[HOST_MAX + 3], port[8] = "*";
	char url[2 * SIP_URI_SIZE];
	const sip_via_t *via;
	int64_t number = 5060;
	int rc = probe(&edge->addr);

	if (rc < 0)
		return err_set(err, rc, "cannot listen for SIP on %s: %s",
			edge->config.listen, strerror(-rc));
	if (addr_port(&edge->addr) != 0)
		(void)snprintf(
			port, sizeof(port), "%u", (unsigned)addr_port(&edge->addr));
	(void)snprintf(url, sizeof(url), "sip:%s:%s;transport=udp;maddr=%s",
		uri_host(edge->host, host_text, sizeof(host_text)), port,
		uri_host(bind_host, bind_text, sizeof(bind_text)));
	edge->agent = nta_agent_create(sip_loop_root(edge->config.loop),
		(const url_string_t *)(const void *)url, on_message, edge, NTATAG_UA(1),
		NTATAG_SERVER_RPORT(2), NTATAG_MAXSIZE(MESSAGE_MAX),
		NTATAG_UDP_MTU(MESSAGE_MAX), NTATAG_PASS_100(1), NTATAG_USE_NAPTR(0),
		NTATAG_USE_SRV(0), TPTAG_LOG(0), TAG_END());
	if (edge->agent == NULL)
		return err_set(
			err, -EIO, "cannot listen for SIP on %s", edge->config.listen);
	via = nta_agent_via(edge->agent);
	if (via == NULL ||
		(via->v_port != NULL && text_int(via->v_port, 1, 65535, &number) < 0))
		return err_set(err, -EIO, "SIP has no port on %s", edge->config.listen);
	addr_set_port(&edge->addr, (uint16_t)number);
	(void)snprintf(edge->contact, sizeof(edge->contact), "<sip:%s:%u>", host_text,
		(unsigned)number);
	return 0;
}

/* The host that others are told: as configured, else what is bound, if that says anything. */
static char *choose_host(const struct sip_edge_config *config, const char *bind_host)
{
	if (config->advertise != NULL && config->advertise[0] != '\0')
		return strdup(config->advertise);
	if (strcmp(bind_host, "0.0.0.0") == 0 || strcmp(bind_host, "::") == 0)
		return strdup("127.0.0.1");
	return strdup(bind_host);
}

int sip_edge_new(
	const struct sip_edge_config *config, struct sip_edge **ret_edge, struct err *err)
{
	struct sip_edge *edge;
	char bind_host[ADDR_TEXT_SIZE];
	int rc;

	assert(config->loop != NULL && config->timers != NULL && config->realm != NULL);
	assert(config->account != NULL && config->bind != NULL);
	edge = calloc(1, sizeof(*edge));
	if (edge == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	edge->config = *config;
	list_init(&edge->dialogs);
	rc = addr_parse(config->listen, &edge->addr);
	if (rc < 0) {
		rc = err_set(
			err, rc, "cannot listen on \"%s\": not ip:port", config->listen);
		goto out;
	}
	(void)addr_host(&edge->addr, bind_host);
	edge->host = choose_host(config, bind_host);
	edge->realm = strdup(config->realm);
	edge->user_agent =
		strdup(config->user_agent != NULL ? config->user_agent : "SIP");
	rc = -ENOMEM;
	if (edge->host == NULL || edge->realm == NULL || edge->user_agent == NULL)
		goto out;
	if (strlen(edge->host) > HOST_MAX) {
		rc = err_set(err, -ENAMETOOLONG, "the advertised host is too long");
		goto out;
	}
	rc = registrar_new(edge, &edge->registrar);
	if (rc < 0)
		goto out;
	su_log_redirect(NULL, log_sofia, NULL);
	rc = start_agent(edge, bind_host, err);
	if (rc < 0)
		goto out;
	*ret_edge = edge;
	return 0;
out:
	if (rc == -ENOMEM)
		(void)err_set(err, rc, "out of memory");
	sip_edge_free(&edge);
	return rc;
}

void sip_edge_free(struct sip_edge **edge)
{
	if (*edge == NULL)
		return;
	dialog_free_all(*edge);
	registrar_free(&(*edge)->registrar);
	if ((*edge)->agent != NULL)
		nta_agent_destroy((*edge)->agent);
	free((*edge)->host);
	free((*edge)->realm);
	free((*edge)->user_agent);
	free(*edge);
	*edge = NULL;
}

const struct addr *sip_edge_addr(const struct sip_edge *edge)
{
	return &edge->addr;
}

const char *sip_edge_host(const struct sip_edge *edge)
{
	return edge->host;
}
