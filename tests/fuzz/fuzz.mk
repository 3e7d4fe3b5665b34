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

api_body = $(patsubst %,gateway/%_body.c,api campaign hours limits) $(patsubst %,dialer/%.c,hours retry zone) \
	base/clock.c base/form.c base/log.c $(number) $(base)
api_body_libs = -ljansson -lm
config = base/envfile.c $(base)
digest = sip/digest.c $(base)
digest_libs = -lcrypto
form = base/form.c $(base)
header = gateway/webhook_request.c http/range.c base/addr.c base/clock.c base/form.c $(base)
import_csv = gateway/import_csv.c $(import)
import_csv_libs = -lcsv -ljansson
import_json = gateway/import_json.c $(import)
import_json_libs = -ljansson
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
