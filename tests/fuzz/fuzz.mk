# fuzz.mk: what each fuzzer is linked with. One line a fuzzer: fuzz_NAME.c with the sources below
# and, where there are some, libraries. Used by script/fuzz; an object is compiled once for all.
#
#   make -f tests/fuzz/fuzz.mk [BUILD=build] [NAME...]
BUILD ?= build
OUT ?= $(BUILD)/fuzz
CC = clang
SANITIZERS = address,undefined
CFLAGS = -std=c11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined
CPPFLAGS = -I. -I$(BUILD) $(shell pkg-config --cflags jansson libxml-2.0 openssl sofia-sip-ua)

base = base/buf.c base/err.c base/text.c
number = dialer/number.c dialer/numbering.c dialer/numbering_data.c
import = $(patsubst %,gateway/import_%.c,text check columns seen) $(number) $(base)

agent_body = tests/fuzz/quiet.c $(patsubst %,gateway/%_api.c,auth dial endpoint entry queue session token) gateway/account.c \
	gateway/api_body.c base/addr.c base/clock.c base/form.c $(number) $(base)
agent_body_never = agent_answer agent_changed agent_get call_json call_place call_place_for campaign_changed \
	db_agent_session_end db_agent_session_ready db_call_correlation db_contact_get db_entry_get \
	db_entry_priority db_entry_requeue db_entry_skip db_facts_read db_queue_page db_queue_stats \
	db_session_end db_session_user db_user_count db_user_create http_cookie late_answer_send \
	listeners_end_grant listeners_end_user queue_contact_json queue_entry_json reason_of_campaign \
	verdict_auto verdict_manual verdict_zones
agent_body_libs = -ljansson -lcrypto $(agent_body_never:%=-Xlinker --defsym=%=fuzz_never)
api_body = tests/fuzz/api_doubles.c $(patsubst %,gateway/%_body.c,api campaign hours limits) \
	$(patsubst %,gateway/%_api.c,callback contact disposition dnc list user) \
	gateway/account.c $(patsubst %,gateway/import_%.c,check columns seen text) $(patsubst %,dialer/%.c,hours permission retry zone) \
	base/clock.c base/form.c base/log.c $(number) $(base)
# What handlers do after the database took something, and their other half, that reads: never.
api_body_never = agent_changed api_send campaign_changed db_agent_session_get db_call_disposition_get \
	db_callback_cancel db_callback_local_times db_callback_page db_contact_delete db_contact_page \
	db_disposition_list db_disposition_remove db_dnc_counts db_dnc_page db_dnc_remove db_list_all \
	db_list_clear db_list_clone db_list_delete db_list_in_call db_list_of_campaign db_user_page \
	events_callback events_disposition imports_put_job listeners_end_user scope_sees_campaign
api_body_libs = -ljansson -lm -Xlinker --wrap=clock_wall_ms $(api_body_never:%=-Xlinker --defsym=%=fuzz_never)
asker = gateway/api_key.c http/event_id.c http/peer.c base/addr.c base/clock.c $(base)
asker_never = api_body_only api_body_text api_body_time api_body_has api_fail api_fail_db api_fail_field api_id \
	api_ok api_param_id api_query_int api_time db_api_key_create db_api_key_get db_api_key_page \
	db_api_key_revoke listeners_end_grant
asker_libs = -ljansson -lcrypto $(asker_never:%=-Xlinker --defsym=%=fuzz_never)
config = base/envfile.c $(base)
digest = sip/digest.c $(base)
digest_libs = -lcrypto
form = base/form.c $(base)
header = gateway/webhook_request.c http/range.c base/addr.c base/clock.c base/form.c $(base)
import_csv = gateway/import_csv.c $(import)
import_csv_libs = -lcsv -ljansson
import_json = gateway/import_json.c $(import)
import_json_libs = -ljansson
import_options = gateway/import.c $(import)
import_options_never = api_send clock_mono_ms config_text db_cancel db_close db_error db_import_expire \
	db_import_fail db_import_forget db_open import_run jobs_free jobs_new jobs_put log_line timer_start \
	timer_stop zones_find
import_options_libs = -ljansson $(import_options_never:%=-Xlinker --defsym=%=fuzz_never)
media_head = base/post.c base/addr.c base/clock.c twilio/exchange.c twilio/fields.c $(base)
media_head_libs = -lcurl -ljansson
register = sip/binding.c sip/digest.c base/addr.c $(base)
register_libs = $(shell pkg-config --libs sofia-sip-ua) -lcrypto
route = http/route.c
rtp = rtp/latch.c rtp/packet.c base/addr.c $(base)
sdp = sip/sdp.c base/addr.c $(base)
signature = twilio/signature.c sandbox/signature.c base/form.c $(base)
signature_libs = -lcrypto
twilio_reply = $(patsubst %,twilio/%.c,reply rows fields) $(base)
twilio_reply_libs = -ljansson -lcurl
twiml = $(patsubst %,sandbox/%.c,twiml twiml_schema callback memory) $(base)
twiml_libs = $(shell pkg-config --libs libxml-2.0)
twiml_form = tests/fuzz/quiet.c $(patsubst %,gateway/%.c,agent_twiml browser_twiml customer_twiml twiml_reply urls webhook_request) \
	twilio/twiml.c $(patsubst %,sandbox/%.c,twiml twiml_schema callback memory) $(base) base/clock.c base/form.c $(number)
twiml_form_never = batch_free twilio_call_update verdict_manual
twiml_form_libs = $(twiml_libs) $(twiml_form_never:%=-Xlinker --defsym=%=fuzz_never)
webhook = tests/fuzz/quiet.c $(patsubst %,gateway/%.c,webhook webhook_batch webhook_request agent_webhook amd_webhook recording_webhook) \
	$(patsubst %,gateway/%.c,call_table twiml_reply urls) $(patsubst %,dialer/%.c,retry) $(patsubst %,twilio/%.c,errors twiml) $(base) base/clock.c base/form.c
zones = gateway/zones.c dialer/zone.c $(base)

FUZZERS = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
.PHONY: all names $(FUZZERS)
all: $(FUZZERS)
names:
	@echo $(FUZZERS)
$(FUZZERS): %: $(OUT)/fuzz_%

.SECONDEXPANSION:
$(OUT)/fuzz_%: $(OUT)/tests/fuzz/fuzz_%.o $$(addprefix $(OUT)/,$$(subst .c,.o,$$($$*)))
	$(CC) -fsanitize=fuzzer,$(SANITIZERS) -o $@ $^ $($*_libs)
$(OUT)/%.o: %.c tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer-no-link,$(SANITIZERS) -MMD -MP -c -o $@ $<
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
.SECONDARY:
