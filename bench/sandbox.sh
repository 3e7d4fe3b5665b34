# sandbox.sh: BENCH_CROWD (2000) calls at once through the stand-in for Twilio alone: none of their
# webhooks and documents may be lost. No peer: the bars are 3 ms of CPU a call (one REST request, five
# of its own) and 150 MB.

bench_sandbox() {
  local crowd=${BENCH_CROWD:-2000}
  OVX_BUILD=$build CROWD=$crowd perl -I "$top/tests/integration/lib" -MOmnivox::Crowd=crowd -e '
    my $n = $ENV{CROWD};
    my $got = crowd(calls => $n);
    my $lost = @{ $got->{lost} };
    printf "sandbox of %d calls: %d made in %.1f s, %d up at once, %d of %d webhooks and documents lost, over in %.1f s\n",
      $n, $got->{made}, $got->{create_s}, $got->{at_once}, $lost, 5 * $n, $got->{seconds};
    print "  $_\n" for grep { defined } @{ $got->{lost} }[0 .. 4];
    my $ms = 1000 * $got->{cpu_s} / $n;
    my $good = !$lost && $got->{at_once} == $n;
    printf "sandbox figure=%.2fms peer=3ms ratio=%.2f bar=1 %s\n", $ms, $ms / 3, $good && $ms <= 3 ? "PASS" : "SHORT";
    printf "sandbox-memory figure=%.0fMB peer=150MB ratio=%.2f bar=1 %s\n", $got->{memory_mb}, $got->{memory_mb} / 150,
      $got->{memory_mb} <= 150 ? "PASS" : "SHORT";'
}
