/* twiml_schema.c: every element and attribute that Twilio documents for voice. */
#include <string.h>

#include "sandbox/twiml.h"

#define TEXT(its_name)                                 \
	{                                              \
		.name = (its_name), .type = TWIML_TEXT \
	}
#define FLAG(its_name, its_code)                                           \
	{                                                                  \
		.name = (its_name), .type = TWIML_FLAG, .code = (its_code) \
	}
#define METHOD(its_name, its_code)                                           \
	{                                                                    \
		.name = (its_name), .type = TWIML_METHOD, .code = (its_code) \
	}
#define RANGE(its_name, its_low, its_high, its_code)                       \
	{                                                                  \
		.name = (its_name), .type = TWIML_RANGE, .low = (its_low), \
		.high = (its_high), .code = (its_code)                     \
	}
#define WORD(its_name, its_words, its_code)                                   \
	{                                                                     \
		.name = (its_name), .type = TWIML_WORD, .words = (its_words), \
		.code = (its_code)                                            \
	}
#define KEYS(its_name, its_words, its_code)                                   \
	{                                                                     \
		.name = (its_name), .type = TWIML_KEYS, .words = (its_words), \
		.code = (its_code)                                            \
	}
#define END                  \
	{                    \
		.name = NULL \
	}

#define TRIM "trim-silence do-not-trim"
#define TRACKS "inbound outbound both"
#define KEYPAD "0123456789*#"
#define TONES "0123456789ABCDabcdwW*#"

#define RECORDING_CALLBACK                                                           \
	TEXT("recordingStatusCallback"), METHOD("recordingStatusCallbackMethod", 0), \
		TEXT("recordingStatusCallbackEvent"), TEXT("recordingConfigurationId")

#define LEG_CALLBACKS                                                           \
	TEXT("url"), METHOD("method", 13221), TEXT("statusCallback"),           \
		TEXT("statusCallbackEvent"), METHOD("statusCallbackMethod", 0), \
		WORD("machineDetection", "Enable DetectMessageEnd", 21234),     \
		RANGE("machineDetectionTimeout", 3, 60, 21234),                 \
		RANGE("machineDetectionSpeechThreshold", 1000, 6000, 21234),    \
		RANGE("machineDetectionSpeechEndThreshold", 500, 5000, 21234),  \
		RANGE("machineDetectionSilenceTimeout", 2000, 10000, 21234),    \
		TEXT("amdStatusCallback"), METHOD("amdStatusCallbackMethod", 0)

static const struct twiml_attribute none[] = {END};

static const struct twiml_attribute say[] = {
	TEXT("voice"), TEXT("language"), RANGE("loop", 0, 1000, 13510), END};

static const struct twiml_attribute play[] = {
	RANGE("loop", 0, 1000, 13410), KEYS("digits", TONES, 13430), END};

static const struct twiml_attribute pause_[] = {RANGE("length", 1, 86400, 13910), END};

static const struct twiml_attribute dial[] = {TEXT("action"), METHOD("method", 13210),
	RANGE("timeout", 1, 600, 13212), RANGE("timeLimit", 1, 86400, 13216),
	FLAG("hangupOnStar", 13213), TEXT("callerId"), TEXT("callReason"),
	FLAG("answerOnBridge", 13219), FLAG("sequential", 13218), TEXT("ringTone"),
	WORD("record",
		"true false do-not-record record-from-answer record-from-ringing "
		"record-from-answer-dual record-from-ringing-dual",
		13217),
	WORD("trim", TRIM, 13699), WORD("recordingTrack", TRACKS, 0), TEXT("referUrl"),
	METHOD("referMethod", 0), TEXT("events"), RECORDING_CALLBACK, END};

static const struct twiml_attribute number[] = {
	LEG_CALLBACKS, KEYS("sendDigits", TONES, 13222), TEXT("byoc"), END};

static const struct twiml_attribute sip[] = {
	LEG_CALLBACKS, TEXT("username"), TEXT("password"), END};

static const struct twiml_attribute client[] = {TEXT("url"), METHOD("method", 0),
	TEXT("statusCallback"), TEXT("statusCallbackEvent"),
	METHOD("statusCallbackMethod", 0), TEXT("clientNotificationUrl"), END};

static const struct twiml_attribute parameter[] = {TEXT("name"), TEXT("value"), END};

static const struct twiml_attribute conference[] = {FLAG("muted", 13230),
	WORD("beep", "true false onEnter onExit", 13235),
	FLAG("startConferenceOnEnter", 13232), FLAG("endConferenceOnExit", 13231),
	TEXT("participantLabel"), WORD("jitterBufferSize", "small medium large off", 0),
	TEXT("waitUrl"), METHOD("waitMethod", 13234), RANGE("maxParticipants", 2, 250, 0),
	WORD("record", "true false do-not-record record-from-start", 0),
	WORD("region", "us1 us2 ie1 de1 sg1 br1 au1 jp1", 0), WORD("trim", TRIM, 13239),
	TEXT("coach"), TEXT("statusCallback"), METHOD("statusCallbackMethod", 0),
	TEXT("statusCallbackEvent"), TEXT("eventCallbackUrl"), RECORDING_CALLBACK, END};

static const struct twiml_attribute queue[] = {TEXT("url"), METHOD("method", 0),
	TEXT("reservationSid"), TEXT("postWorkActivitySid"), END};

static const struct twiml_attribute gather[] = {TEXT("action"), METHOD("method", 13312),
	TEXT("input"), RANGE("timeout", 1, 86400, 13313), TEXT("speechTimeout"),
	RANGE("maxSpeechTime", 1, 600, 13328), KEYS("finishOnKey", KEYPAD, 13310),
	RANGE("numDigits", 1, 1000, 13314), FLAG("actionOnEmptyResult", 13338),
	TEXT("partialResultCallback"), METHOD("partialResultCallbackMethod", 13329),
	TEXT("language"), TEXT("hints"), FLAG("bargeIn", 13332), FLAG("debug", 0),
	FLAG("profanityFilter", 13333), TEXT("speechModel"), FLAG("enhanced", 0), END};

static const struct twiml_attribute record[] = {TEXT("action"), METHOD("method", 13610),
	RANGE("timeout", 0, 86400, 13611), KEYS("finishOnKey", KEYPAD, 13613),
	RANGE("maxLength", 1, 86400, 13612), FLAG("playBeep", 13616),
	WORD("trim", TRIM, 13699), FLAG("transcribe", 13614), TEXT("transcribeCallback"),
	RECORDING_CALLBACK, END};

static const struct twiml_attribute redirect[] = {METHOD("method", 13710), END};

static const struct twiml_attribute reject[] = {
	WORD("reason", "rejected busy", 13810), END};

static const struct twiml_attribute enqueue[] = {TEXT("action"), METHOD("method", 0),
	TEXT("waitUrl"), METHOD("waitUrlMethod", 0), TEXT("workflowSid"),
	RANGE("maxQueueSize", 1, 5000, 0), END};

static const struct twiml_attribute recording[] = {WORD("channels", "mono dual", 0),
	WORD("track", TRACKS, 0), WORD("trim", TRIM, 0), RECORDING_CALLBACK, END};

static const struct twiml_attribute transcription[] = {TEXT("name"),
	TEXT("statusCallbackUrl"), METHOD("statusCallbackMethod", 0),
	TEXT("languageCode"),
	WORD("track", "inbound_track outbound_track both_tracks", 0),
	TEXT("inboundTrackLabel"), TEXT("outboundTrackLabel"),
	WORD("transcriptionEngine", "google deepgram", 0), TEXT("speechModel"),
	FLAG("enableProviderData", 0), FLAG("profanityFilter", 0),
	FLAG("partialResults", 0), TEXT("hints"), FLAG("enableAutomaticPunctuation", 0),
	TEXT("intelligenceService"), TEXT("conversationConfiguration"),
	TEXT("conversationId"), END};

static const struct twiml_element elements[] = {
	{"Response", TWIML_RESPONSE, "", false, none},
	{"Say", TWIML_SAY, " Response Gather ", true, say},
	{"Play", TWIML_PLAY, " Response Gather ", true, play},
	{"Pause", TWIML_PAUSE, " Response Gather ", false, pause_},
	{"Dial", TWIML_DIAL, " Response ", true, dial},
	{"Number", TWIML_NUMBER, " Dial ", false, number},
	{"Sip", TWIML_SIP, " Dial Refer ", false, sip},
	{"Client", TWIML_CLIENT, " Dial ", false, client},
	{"Identity", TWIML_IDENTITY, " Client ", false, none},
	{"Parameter", TWIML_PARAMETER, " Client ", false, parameter},
	{"Conference", TWIML_CONFERENCE, " Dial ", false, conference},
	{"Queue", TWIML_QUEUE, " Dial ", false, queue},
	{"Gather", TWIML_GATHER, " Response ", true, gather},
	{"Record", TWIML_RECORD, " Response ", true, record},
	{"Hangup", TWIML_HANGUP, " Response ", true, none},
	{"Redirect", TWIML_REDIRECT, " Response ", false, redirect},
	{"Reject", TWIML_REJECT, " Response ", false, reject},
	{"Enqueue", TWIML_ENQUEUE, " Response ", true, enqueue},
	{"Leave", TWIML_LEAVE, " Response ", false, none},
	{"Start", TWIML_START, " Response ", true, none},
	{"Stop", TWIML_STOP, " Response ", true, none},
	{"Recording", TWIML_RECORDING, " Start Stop ", false, recording},
	{"Transcription", TWIML_TRANSCRIPTION, " Start Stop ", false, transcription},
	{"Connect", TWIML_FOREIGN, " Response ", true, NULL},
	{"Refer", TWIML_FOREIGN, " Response ", true, NULL},
	{"Pay", TWIML_FOREIGN, " Response ", true, NULL},
	{"Prompt", TWIML_FOREIGN, " Response ", true, NULL},
	{"Sms", TWIML_FOREIGN, " Response ", true, NULL},
	{"Message", TWIML_FOREIGN, " Response ", true, NULL},
	{"Application", TWIML_FOREIGN, " Dial ", false, NULL},
	{"WhatsApp", TWIML_FOREIGN, " Dial ", false, NULL},
	{"Sim", TWIML_FOREIGN, " Dial ", false, NULL},
	{"Stream", TWIML_FOREIGN, " Start Stop ", false, NULL},
	{"Config", TWIML_FOREIGN, " Transcription ", false, NULL},
	{"Siprec", TWIML_FOREIGN, " Start Stop ", false, NULL},
};

const struct twiml_element *twiml_element_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
		if (strcmp(elements[i].name, name) == 0)
			return &elements[i];
	return NULL;
}
