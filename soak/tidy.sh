#!/usr/bin/env bash
# tidy: clang-tidy and cppcheck find nothing in the program's files; what is excused says so here.
#
#   FILES="sip/sdp.c base/buf.c" script/soak tidy      only these
. "$(dirname "$0")/../script/lib.sh"
cd "$top"

"$top/script/setup" --tests
need_packages clang-tidy cppcheck
mapfile -t files < <(ls {base,db,twilio,sip,rtp,http,dialer,gateway,sandbox}/*.c | grep -v numbering_data.c)
[ -z "${FILES:-}" ] || read -ra files <<<"$FILES"
FLAGS="-std=c11 -D_GNU_SOURCE -I. -I$build -Idb -DOVX_WEB_DIR=\"\" $(pkg-config --cflags \
  jansson libxml-2.0 openssl sofia-sip-ua libpq libmicrohttpd libcurl libre)"

# Not asked, and why:
#   easily-swappable-parameters, reserved-identifier, assignment-in-if-condition: taste
#   branch-clone: two checks in their order may have one answer
#   narrowing-conversions, implicit-widening: -Wconversion says what matters
#   suspicious-include: migrations.c is made of files
#   not-null-terminated-result: takes each memcpy() of part of a text for a strcpy()
#   core.CallAndMessage, NonNullParamChecker, NullDereference, UndefinedBinaryOperatorResult,
#   uninitialized: the analyzer reads one file, and so does not know that err_set() and the
#   functions of db/ that return 0 have filled their ret_; sanitizers and valgrind watch these
#   valist: clang-tidy 14 does not follow va_start()
#   unix.Malloc: it does not see that list_remove() takes an element off the list that it walks
#   insecureAPI: the strcpy()s are between buffers of one size; Annex K is not in glibc
checks='-*,bugprone-*,clang-analyzer-*'
for no in bugprone-{easily-swappable-parameters,reserved-identifier,assignment-in-if-condition} \
  bugprone-{narrowing-conversions,implicit-widening-of-multiplication-result} \
  bugprone-{branch-clone,suspicious-include,not-null-terminated-result} \
  clang-analyzer-core.{CallAndMessage,NonNullParamChecker,NullDereference} \
  clang-analyzer-core.{UndefinedBinaryOperatorResult,'uninitialized.*'} \
  clang-analyzer-{valist.Uninitialized,unix.Malloc} 'clang-analyzer-security.insecureAPI.*'; do
  checks+=",-$no"
done

export FLAGS CHECKS=$checks
result=0
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 8 sh -c '
  bad=0
  for file; do
    clang-tidy --quiet --warnings-as-errors="*" --checks="$CHECKS" "$file" -- $FLAGS || bad=1
  done
  exit $bad' sh || result=1

# Defined with -D, macros with parameters make it refuse those of db/; so they have a file.
cppcheck --quiet --error-exitcode=1 --enable=warning,portability --std=c11 -j "$(nproc)" \
  -I. -I"$build" -D_GNU_SOURCE --include=soak/cppcheck.h --suppress=missingIncludeSystem "${files[@]}" || result=1
exit $result
