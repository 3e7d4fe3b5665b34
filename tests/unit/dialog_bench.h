/* dialog_bench.h: one call to a scripted phone, and what its callbacks saw. */
#ifndef OMNIVOX_TESTS_DIALOG_BENCH_H
#define OMNIVOX_TESTS_DIALOG_BENCH_H

#include "unit/sip_rig.h"

#define RING_MS 10000

#define PHONE_SDP                                                                   \
	"v=0\r\no=p 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" \
	"m=audio 5000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"

/* One call and what its callbacks saw. */
struct bench {
	struct rig rig;
	struct peer phone;
	struct sip_dialog *dialog;
	unsigned ringings, answers, changes, ends;
	int ring_status;
	char sdp[SIP_SDP_SIZE];
	enum sip_end end;
	int end_status;
	char uri[64], hop[64];
	char invite[8192];  /* the last one the phone got */
	char headers[1024]; /* Via, From, To ... of the phone's own requests */
};

/* The set-up and tear-down of each test, whose state is a struct bench. */
int dialog_bench_open(void **state);
int dialog_bench_close(void **state);

struct sip_dialog_events events_of(struct bench *b);

/* Calls and keeps the INVITE that arrives. */
void call(struct bench *b, const char *user, unsigned ring_ms);

/* A call that is up. */
void connect_call(struct bench *b);

/* The phone asks something within the dialog. */
void phone_asks(struct bench *b, const char *method, unsigned cseq, const char *body);

/* Header line of the phone. */
const char *phone_contact(struct bench *b);

/* For rig_run(), with a struct bench. */
bool has_answered(void *arg);
bool has_ended(void *arg);
bool has_changed(void *arg);
bool has_rung(void *arg);

/* The dialog ends so, once; `status` 0: any. */
void expect_end(struct bench *b, enum sip_end end, int status);

#endif
