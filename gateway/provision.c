/* provision.c: see provision.h. */
#include "gateway/provision.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/text.h"
#include "gateway/twilio_wait.h"
#include "gateway/urls.h"
#include "twilio/account.h"
#include "twilio/host.h"

/* What we make bears this name, and is found again by it. */
#define OUR_NAME "Omnivox Gateway"
#define DEMO_URL "https://demo.twilio.com/"

struct run {
	const struct config *config;
	const char *backend;
	const char *fallback; /* NULL: none is wanted, and what is there stays */
	bool apply;
	struct twilio_wait wait;
	struct err err;
	unsigned create, change, same;    /* with `apply`: done; else: to be done */
	bool seen;                        /* TWILIO_PHONE_NUMBER is one of the numbers */
	char list_sid[TWILIO_SID_SIZE];   /* "": still to be made */
	char domain_sid[TWILIO_SID_SIZE]; /* the same */
};

/* One property: as it is, as it shall be. */
struct property {
	const char *name, *now, *wanted;
};

static void our_url(const struct run *run, const char *path, char url[URL_SIZE])
{
	(void)snprintf(url, URL_SIZE, "%s%s" URL_OVERRIDES, run->backend, path);
}

/* ---- the plan ---- */

static void plan_create(struct run *run, const char *what, const char *name)
{
	(void)printf("  + %s %s\n", what, name);
	if (!run->apply)
		run->create++;
}

static void plan_same(struct run *run, const char *what, const char *name)
{
	(void)printf("  = %s %s\n", what, name);
	run->same++;
}

/* Whether one of them is to be changed; then says all of those. */
static bool plan_change(struct run *run, const char *what, const char *name,
	const struct property *properties)
{
	bool differs = false;

	for (const struct property *p = properties; p->name != NULL; p++)
		differs |= strcmp(p->now, p->wanted) != 0;
	if (!differs) {
		plan_same(run, what, name);
		return false;
	}
	(void)printf("  ~ %s %s\n", what, name);
	for (const struct property *p = properties; p->name != NULL; p++)
		if (strcmp(p->now, p->wanted) != 0)
			(void)printf("      %s: %s -> %s\n", p->name,
				p->now[0] != '\0' ? p->now : "(none)",
				p->wanted[0] != '\0' ? p->wanted : "(none)");
	if (!run->apply)
		run->change++;
	return true;
}

/* What a fallback shall be, that is `now` so. */
static const char *fallback_or(const struct run *run, const char *wanted, const char *now)
{
	return run->fallback != NULL ? wanted : now;
}

static void print_new_voice(const struct twilio_voice *voice)
{
	(void)printf("      voice URL: %s\n", voice->url);
	if (voice->fallback_url != NULL)
		(void)printf("      fallback URL: %s\n", voice->fallback_url);
}

static int ask(struct run *run, int asked, const char *what)
{
	return twilio_wait_for(&run->wait, asked, what, &run->err);
}

/* The requests of the apply: each counts when Twilio has done it. */
static int created(struct run *run, int asked, const char *what)
{
	int rc = ask(run, asked, what);

	if (rc == 0)
		run->create++;
	return rc;
}

static int changed(struct run *run, int asked, const char *what)
{
	int rc = ask(run, asked, what);

	if (rc == 0)
		run->change++;
	return rc;
}

/* The first row that fits, over all pages; NULL when there is none. `first` asked for them. */
static int find_item(struct run *run, int first, const char *what, const char *name,
	char ret_sid[TWILIO_SID_SIZE])
{
	struct twilio_wait *wait = &run->wait;
	int rc;

	ret_sid[0] = '\0';
	for (rc = twilio_wait_for(wait, first, what, &run->err); rc == 0;
		rc = twilio_wait_next(wait, what, &run->err))
		for (size_t i = 0; i < wait->answer->count; i++) {
			const struct twilio_sip_item *item = &wait->answer->list.items[i];

			if (strcmp(item->name, name) == 0 || strcmp(item->sid, name) == 0)
				return text_copy(ret_sid, TWILIO_SID_SIZE, item->sid);
		}
	return rc == -ENOENT ? 0 : rc;
}

/* ---- SIP ---- */

static int want_credential_list(struct run *run)
{
	struct twilio_client *client = run->wait.client;
	int rc = find_item(run, twilio_sip_credential_list_list(client, 0),
		"SIP credential lists", OUR_NAME, run->list_sid);

	if (rc < 0)
		return rc;
	if (run->list_sid[0] != '\0') {
		plan_same(run, "SIP credential list", OUR_NAME);
		return 0;
	}
	plan_create(run, "SIP credential list", OUR_NAME);
	if (!run->apply)
		return 0;
	rc = created(run, twilio_sip_credential_list_create(client, 0, OUR_NAME),
		"The SIP credential list");
	return rc < 0 ? rc
		      : text_copy(run->list_sid, sizeof(run->list_sid),
				run->wait.answer->sid);
}

static int want_credential(struct run *run)
{
	struct twilio_client *client = run->wait.client;
	const char *user = config_text(run->config, "TWILIO_SIP_USER");
	char sid[TWILIO_SID_SIZE] = "";
	int rc = 0;

	if (run->list_sid[0] != '\0')
		rc = find_item(run, twilio_sip_credential_list(client, 0, run->list_sid),
			"SIP credentials", user, sid);
	if (rc < 0)
		return rc;
	if (sid[0] != '\0') {
		plan_same(run, "SIP credential", user);
		(void)printf("      (its password cannot be read; to set another, delete "
			     "it at Twilio and run this again)\n");
		return 0;
	}
	plan_create(run, "SIP credential", user);
	if (!run->apply)
		return 0;
	return created(run,
		twilio_sip_credential_create(client, 0, run->list_sid, user,
			config_text(run->config, "TWILIO_SIP_PASSWORD")),
		"The SIP credential");
}

static const struct twilio_sip_domain *domain_of(
	const struct twilio_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->count; i++)
		if (strcasecmp(answer->list.domains[i].domain, name) == 0)
			return &answer->list.domains[i];
	return NULL;
}

/* Creates it, or brings the one that is there to what it shall be. */
static int settle_domain(
	struct run *run, const char *name, const struct twilio_sip_domain *domain)
{
	struct twilio_client *client = run->wait.client;
	char url[URL_SIZE];
	struct twilio_voice voice = {
		.friendly_name = OUR_NAME, .url = url, .fallback_url = run->fallback};
	int rc;

	our_url(run, URL_TWIML_AGENT, url);
	if (domain == NULL) {
		plan_create(run, "SIP domain", name);
		print_new_voice(&voice);
		if (!run->apply)
			return 0;
		rc = created(run, twilio_sip_domain_create(client, 0, name, &voice),
			"The SIP domain");
		return rc < 0 ? rc
			      : text_copy(run->domain_sid, sizeof(run->domain_sid),
					run->wait.answer->sid);
	}
	(void)text_copy(run->domain_sid, sizeof(run->domain_sid), domain->sid);
	if (!plan_change(run, "SIP domain", name,
		    (const struct property[]){{"voice URL", domain->voice_url, url},
			    {"voice method", domain->voice_method, "POST"},
			    {"fallback URL", domain->voice_fallback_url,
				    fallback_or(run, run->fallback,
					    domain->voice_fallback_url)},
			    {"fallback method", domain->voice_fallback_method,
				    fallback_or(
					    run, "GET", domain->voice_fallback_method)},
			    {NULL, NULL, NULL}}) ||
		!run->apply)
		return 0;
	voice.friendly_name = NULL;
	return changed(run, twilio_sip_domain_update(client, 0, run->domain_sid, &voice),
		"The SIP domain");
}

static int want_domain(struct run *run)
{
	static const char what[] = "SIP domains";
	const struct twilio_sip_domain *domain = NULL;
	char name[TWILIO_SIP_HOST_SIZE];
	int rc;

	twilio_sip_name(config_text(run->config, "TWILIO_SIP_DOMAIN"), name);

	for (rc = ask(run, twilio_sip_domain_list(run->wait.client, 0), what);
		rc == 0 && domain == NULL;
		rc = domain == NULL ? twilio_wait_next(&run->wait, what, &run->err) : 0)
		domain = domain_of(run->wait.answer, name);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	return settle_domain(run, name, domain);
}

static int want_mapping(struct run *run)
{
	struct twilio_client *client = run->wait.client;
	char sid[TWILIO_SID_SIZE] = "";
	int rc = 0;

	if (run->domain_sid[0] != '\0' && run->list_sid[0] != '\0')
		rc = find_item(run, twilio_sip_mapping_list(client, 0, run->domain_sid),
			"Mappings of the SIP domain", run->list_sid, sid);
	if (rc < 0)
		return rc;
	if (sid[0] != '\0') {
		plan_same(run, "calls into the domain by the list", OUR_NAME);
		return 0;
	}
	plan_create(run, "calls into the domain by the list", OUR_NAME);
	if (!run->apply)
		return 0;
	return created(run,
		twilio_sip_mapping_create(client, 0, run->domain_sid, run->list_sid),
		"The mapping of the SIP domain");
}

/* ---- the TwiML App of agents' browsers ---- */

static int settle_application(
	struct run *run, const struct twilio_application *application)
{
	struct twilio_client *client = run->wait.client;
	char url[URL_SIZE], sid[TWILIO_SID_SIZE];
	struct twilio_voice voice = {
		.friendly_name = OUR_NAME, .url = url, .fallback_url = run->fallback};
	int rc;

	our_url(run, URL_TWIML_BROWSER, url);
	if (application == NULL) {
		plan_create(run, "TwiML App", OUR_NAME);
		print_new_voice(&voice);
		if (!run->apply)
			return 0;
		rc = created(run, twilio_application_create(client, 0, &voice),
			"The TwiML App");
		if (rc == 0)
			(void)printf("      made: set TWILIO_TWIML_APP_SID=%s\n",
				run->wait.answer->sid);
		return rc;
	}
	(void)text_copy(sid, sizeof(sid), application->sid);
	if (!plan_change(run, "TwiML App", sid,
		    (const struct property[]){{"voice URL", application->voice_url, url},
			    {"voice method", application->voice_method, "POST"},
			    {"fallback URL", application->voice_fallback_url,
				    fallback_or(run, run->fallback,
					    application->voice_fallback_url)},
			    {"fallback method", application->voice_fallback_method,
				    fallback_or(run, "GET",
					    application->voice_fallback_method)},
			    {NULL, NULL, NULL}}) ||
		!run->apply)
		return 0;
	voice.friendly_name = NULL;
	return changed(
		run, twilio_application_update(client, 0, sid, &voice), "The TwiML App");
}

/* The one that is set, else the one of our name. */
static int want_application(struct run *run)
{
	const char *wanted = config_text(run->config, "TWILIO_TWIML_APP_SID");
	static const char what[] = "TwiML Apps";
	struct twilio_client *client = run->wait.client;
	int rc;

	rc = ask(run,
		twilio_application_list(client, 0, wanted[0] == '\0' ? OUR_NAME : NULL),
		what);
	while (rc == 0) {
		const struct twilio_answer *answer = run->wait.answer;

		for (size_t i = 0; i < answer->count; i++)
			if (wanted[0] == '\0' ||
				strcmp(answer->list.applications[i].sid, wanted) == 0)
				return settle_application(
					run, &answer->list.applications[i]);
		rc = twilio_wait_next(&run->wait, what, &run->err);
	}
	if (rc != -ENOENT)
		return rc;
	if (wanted[0] != '\0')
		return err_set(&run->err, -EINVAL,
			"TWILIO_TWIML_APP_SID is %s, which is not in the account. Leave it "
			"out to have one made.",
			wanted);
	return settle_application(run, NULL);
}

/* ---- numbers ---- */

/* What the same server has at other paths, and other servers whose names begin alike, is not ours. */
static bool leads_to_us(const struct run *run, const char *url)
{
	size_t len = strlen(run->backend);

	return strncmp(url, run->backend, len) == 0 &&
	       strncmp(url + len, URL_OURS, strlen(URL_OURS)) == 0;
}

static bool is_configured(const struct run *run, const struct twilio_number *number)
{
	return strcmp(number->number, config_text(run->config, "TWILIO_PHONE_NUMBER")) ==
	       0;
}

/* The number of the settings, and those that lead nowhere or to us already. */
static bool is_ours(const struct run *run, const struct twilio_number *number)
{
	if (is_configured(run, number))
		return true;
	if (number->application_sid[0] != '\0' || number->trunk_sid[0] != '\0')
		return false;
	return number->voice_url[0] == '\0' ||
	       strncmp(number->voice_url, DEMO_URL, strlen(DEMO_URL)) == 0 ||
	       leads_to_us(run, number->voice_url);
}

static int settle_number(struct run *run, const struct twilio_number *number)
{
	char url[URL_SIZE], status[URL_SIZE];
	struct twilio_voice voice = {
		.url = url,
		.fallback_url = run->fallback,
		.status_callback = status,
		.leave_application = number->application_sid[0] != '\0',
		.leave_trunk = number->trunk_sid[0] != '\0',
	};

	our_url(run, URL_INBOUND, url);
	our_url(run, URL_STATUS "?inbound=1", status);
	if (!is_ours(run, number)) {
		(void)printf("  . number %s leads elsewhere (%s): left alone\n",
			number->number,
			number->voice_url[0] != '\0'         ? number->voice_url
			: number->application_sid[0] != '\0' ? number->application_sid
							     : number->trunk_sid);
		return 0;
	}
	if (!plan_change(run, "number", number->number,
		    (const struct property[]){{"voice URL", number->voice_url, url},
			    {"voice method", number->voice_method, "POST"},
			    {"fallback URL", number->voice_fallback_url,
				    fallback_or(run, run->fallback,
					    number->voice_fallback_url)},
			    {"fallback method", number->voice_fallback_method,
				    fallback_or(
					    run, "GET", number->voice_fallback_method)},
			    {"application", number->application_sid, ""},
			    {"trunk", number->trunk_sid, ""},
			    {"status callback", number->status_callback, status},
			    {"status method", number->status_callback_method, "POST"},
			    {NULL, NULL, NULL}}) ||
		!run->apply)
		return 0;
	return changed(run,
		twilio_number_update(run->wait.client, 0, number->sid, &voice),
		"The number");
}

/* An update's answer takes the place of the page: the page is kept until its end. */
static int settle_page(struct run *run, const struct twilio_answer *page)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < page->count; i++) {
		const struct twilio_number *number = &page->list.numbers[i];

		if (!number->voice)
			continue;
		run->seen |= is_configured(run, number);
		rc = settle_number(run, number);
	}
	return rc;
}

static int want_numbers(struct run *run)
{
	static const char what[] = "Numbers";
	struct twilio_client *client = run->wait.client;
	struct twilio_answer *page = NULL;
	int rc = ask(run, twilio_number_list(client, 0), what);

	while (rc == 0) {
		page = run->wait.answer;
		run->wait.answer = NULL;
		rc = settle_page(run, page);
		if (rc < 0 || page->next_page == NULL)
			break;
		rc = ask(run,
			twilio_next_page(client, TWILIO_NUMBER_LIST, 0, page->next_page),
			what);
		twilio_answer_free(&page);
	}
	twilio_answer_free(&page);
	return rc;
}

static bool lists_configured(const struct run *run, const struct twilio_answer *page)
{
	for (size_t i = 0; i < page->count; i++)
		if (is_configured(run, &page->list.numbers[i]))
			return true;
	return false;
}

/* The caller id of the settings: one of the numbers, or somebody's, verified at Twilio. */
static int want_caller_id(struct run *run)
{
	const char *number = config_text(run->config, "TWILIO_PHONE_NUMBER");
	static const char what[] = "Verified caller ids";
	int rc = 0;

	if (run->seen)
		return 0;
	for (rc = ask(run, twilio_caller_id_list(run->wait.client, 0), what); rc == 0;
		rc = twilio_wait_next(&run->wait, what, &run->err))
		if (lists_configured(run, run->wait.answer)) {
			(void)printf("  . number %s is a verified caller id: who calls "
				     "it does not come here\n",
				number);
			return 0;
		}
	if (rc != -ENOENT)
		return rc;
	(void)printf("  ! number %s is not the account's\n", number);
	return err_set(&run->err, -EINVAL,
		"TWILIO_PHONE_NUMBER is %s, which is neither a number of the account that "
		"can call nor a verified caller id. Buy or verify it at Twilio, or set one "
		"that is.",
		number);
}

/* ---- the command ---- */

/* Twilio must reach us from outside; a sandbox on loopback may be told so by http://. */
static int check_settings(struct run *run)
{
	char domain[TWILIO_SIP_HOST_SIZE];

	twilio_sip_name(config_text(run->config, "TWILIO_SIP_DOMAIN"), domain);
	if (run->backend[0] == '\0')
		return err_set(&run->err, -EINVAL,
			"BACKEND_URL is not set: Twilio must be told where it reaches this "
			"gateway, such as https://calls.example.com.");
	if (strlen(run->backend) + sizeof(URL_INBOUND) + 100 > URL_SIZE)
		return err_set(&run->err, -EINVAL, "BACKEND_URL is too long.");
	if (strlen(domain) < sizeof(".sip.twilio.com") ||
		strcasecmp(domain + strlen(domain) - strlen(".sip.twilio.com"),
			".sip.twilio.com") != 0)
		return err_set(&run->err, -EINVAL,
			"TWILIO_SIP_DOMAIN is \"%.64s\": expected a name of your choice "
			"and .sip.twilio.com, such as example-calls.sip.twilio.com.",
			domain);
	return 0;
}

static int status_of(const struct run *run, int rc)
{
	if (rc == -EINVAL)
		return EX_CONFIG;
	if (rc == -EACCES)
		return EX_NOPERM;
	if (rc < 0)
		return EX_UNAVAILABLE;
	return run->create + run->change > 0 && !run->apply ? PROVISION_PENDING : EX_OK;
}

/* What was done before it failed stays done, and is found by the next run. */
static void print_failure(const struct run *run)
{
	(void)fprintf(stderr, "omnivox-gateway: %s\n", run->err.text);
	if (run->apply)
		(void)fprintf(stderr,
			"omnivox-gateway: %u created, %u changed before that; run it "
			"again to go on.\n",
			run->create, run->change);
}

static void print_end(const struct run *run)
{
	if (run->create + run->change == 0)
		(void)printf("\nNothing to do: all %u are as wanted.\n", run->same);
	else if (run->apply)
		(void)printf("\nDone: %u created, %u changed, %u were as wanted.\n",
			run->create, run->change, run->same);
	else
		(void)printf("\nPlan: %u to create, %u to change, %u as wanted. Nothing "
			     "was changed;\n--provision-twilio=apply does it.\n",
			run->create, run->change, run->same);
}

int provision(const struct config *config, bool apply)
{
	static int (*const steps[])(struct run *) = {want_credential_list,
		want_credential, want_domain, want_mapping, want_application,
		want_numbers, want_caller_id, NULL};
	const char *fallback = config_text(config, "TWILIO_FALLBACK_URL");
	struct run run = {.config = config,
		.backend = config_text(config, "BACKEND_URL"),
		.fallback = fallback[0] != '\0' ? fallback : NULL,
		.apply = apply};
	int rc = check_settings(&run);

	if (rc == 0)
		rc = twilio_wait_open(config, &run.wait, &run.err);
	if (rc == 0)
		(void)printf("Twilio account %s\n\n",
			config_text(config, "TWILIO_ACCOUNT_SID"));
	for (size_t i = 0; rc == 0 && steps[i] != NULL; i++)
		rc = steps[i](&run);
	if (rc == 0)
		print_end(&run);
	(void)fflush(stdout);
	if (rc < 0)
		print_failure(&run);
	twilio_wait_close(&run.wait);
	return status_of(&run, rc);
}
