#!/usr/bin/env bash
# tsan: ThreadSanitizer over the unit tests with threads and over whole calls: no data race.
# Nothing is excused.
. "$(dirname "$0")/../script/lib.sh"
cd "$top"
folder=$top/build/tsan
reports=$folder/reports

"$top/script/setup" --tests
configure_in "$folder" --enable-werror --enable-sanitizers=thread CFLAGS='-O1 -g'
make -s -C "$folder" -j"$(nproc)" >&2

units=(post jobs log metrics notify timers batch http_events http_feed http_hostile http_server
  http_spool rtp_relay rtp_latch twilio_client twilio_tls sip_loop sip_dialog sip_registrar rate)
whole=(020_api 100_sound 120_once 151_events_of_nodes)
make -s -C "$folder/tests" -j"$(nproc)" "${units[@]/#/unit/test_}" check-programs >&2

rm -rf "$reports"
mkdir -p "$reports"
# Goes on after a report, so that one run shows all; the reports are judged at the end.
export TSAN_OPTIONS="log_path=$reports/tsan exitcode=0 second_deadlock_stack=1"
export CMOCKA_MESSAGE_OUTPUT=TAP OVX_BUILD=$folder
result=0
# The shim that kills workers is for others, hence no 110_crash.
prove --timer --exec '' "${units[@]/#/$folder/tests/unit/test_}" || result=1
prove --timer --exec '' $(printf 'tests/integration/%s.t ' "${whole[@]}") || result=1
if grep -qrs 'WARNING: ThreadSanitizer' "$reports"; then
  cat "$reports"/* >&2
  result=1
fi
exit $result
