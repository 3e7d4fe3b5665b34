/*
 * gateway.h: the worker's parts in one struct, so that every noun's file finds the others.
 *
 * Filled by worker.c before any thread runs and read-only from then on. What the parts
 * themselves allow from which thread is said in their headers. Live state of a noun (agents,
 * calls, campaigns) belongs to the loop and is opaque here.
 */
#ifndef OMNIVOX_GATEWAY_GATEWAY_H
#define OMNIVOX_GATEWAY_GATEWAY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/list.h"
#include "db/conn.h"
#include "db/install.h"

struct afterwork;
struct agents;
struct beat;
struct batch;
struct calls;
struct campaigns;
struct config;
struct controls;
struct event_bus;
struct http_events;
struct http_server;
struct drain;
struct imports;
struct jobs;
struct metrics;
struct nodes;
struct numbers;
struct post_queue;
struct pulse;
struct listeners;
struct rate;
struct recordings;
struct rtp_relay;
struct sip_edge;
struct sip_loop;
struct sweeper;
struct timers;
struct twilio_client;
struct twilio_health;
struct twilio_media;

struct gateway {
	struct config *config;
	char node
		[DB_NODE_SIZE]; /* this DATA_DIR's id: a restarted node is the same node */
	char install[DB_INSTALL_SIZE]; /* prefixes conferences and labels */
	char backend_url[256]; /* public base of our URLs, without a trailing slash */

	struct zones *zones;      /* zones.h */
	struct post_queue *queue; /* to the loop */
	struct timers *timers;    /* loop thread */
	struct sip_loop *loop;
	struct jobs *db;        /* database workers; a job's ctx is struct db */
	struct jobs *slow;      /* as db, for what may take many seconds */
	atomic_bool rechecking; /* recheck.h: a job for it waits */
	struct jobs *names;     /* sip_name.h */
	struct http_server *http;
	struct http_events *events;
	struct event_bus *bus; /* event_bus.h */
	struct twilio_client *twilio;
	struct sip_edge *edge;
	struct rtp_relay *relay;

	struct pulse *pulse;         /* shared with the supervisor */
	struct beat *beat;           /* pulse.h */
	struct metrics *metrics;     /* metrics.h */
	struct afterwork *afterwork; /* afterwork.h */
	struct list again;           /* again.h; loop */
	struct drain *drain;         /* drain.h */
	struct nodes *nodes;         /* nodes.h */
	struct agents *agents;       /* agent.h */
	struct calls *calls;         /* call.h */
	struct campaigns *campaigns; /* campaign.h */
	struct numbers *numbers;     /* numbers.h */
	struct imports *imports;     /* import.h */
	struct listeners *listeners; /* listeners.h */
	struct rate *rate;           /* rate.h */
	struct sweeper *sweeper;     /* sweep.h */
	struct batch *webhooks;      /* webhook_batch.h */
	struct batch *legs;          /* agent_twiml.h */

	struct twilio_health *health; /* twilio_health.h */

	struct controls *controls;     /* call_control.h */
	struct recordings *recordings; /* recording.h */
	struct twilio_media *media;    /* the sound of recordings */
};

#endif
