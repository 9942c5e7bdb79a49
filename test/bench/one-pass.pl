#!/usr/bin/perl
# The script that somebody in a hurry writes: one pass over a bare uWSGI log, one expression for request lines,
# a list of expressions for the lines about processes. It adds up the same figures as the scan of logdoctor.
#
#   perl one-pass.pl request-line.regex FILE
use strict;
use warnings;
use Time::Local qw(timegm);
use constant {COUNT => 0, SUM => 1, MAX => 2, NUMBER => 3, EPOCH => 4, ERRORS => 5};

my ($expression, $file) = @ARGV;
open my $source, '<', $expression or die "$expression: $!\n";
chomp(my $pattern = <$source>);
my $request = qr/$pattern/;

my $date = qr/(?:\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} - )?/;
my @lifecycle = (
    qr/^\.\.\.The work of process (\d+) is done\. Seeya!/,
    qr/^worker \d+ killed successfully \(pid: (\d+)\)$/,
    qr/^Respawned uWSGI worker \d+ \(new pid: (\d+)\)$/,
    qr/^Gracefully killing worker \d+ \(pid: (\d+)\)\.\.\.$/,
    qr/^${date}chain next victim is worker \d+$/,
    qr/^${date}chain is still waiting for worker \d+\.\.\.$/,
    qr/^${date}chain reloading complete$/,
    qr/^${date}\*\*\* .* has been touched\.\.\. chain reload !!! \*\*\*$/,
    qr/^${date}worker \d+ \(pid: (\d+)\) is taking too much time to die\.\.\.NO MERCY !!!$/,
    qr/^${date}\*\*\* HARAKIRI ON WORKER \d+ \(pid: (\d+), try: \d+\) \*\*\*$/,
    qr/^${date}HARAKIRI /,
    qr/^DAMN ! worker \d+ \(pid: (\d+)\) died, killed by signal \d+ :\( trying respawn \.\.\.$/,
    qr/^\.\.\.gracefully killing workers\.\.\.$/,
    qr/^worker \d+ buried after \d+ seconds$/,
    qr/^binary reloading uWSGI\.\.\.$/,
    qr/^\*\*\* Starting uWSGI .* \*\*\*$/,
    qr/^your mercy for graceful operations on workers is \d+ seconds$/,
    qr/^\*\*\* Operational MODE: .* \*\*\*$/,
    qr/^WSGI app \d+ .* ready in \d+ seconds on interpreter \S+ pid: (\d+)/,
    qr/^(?:spawned|gracefully \(RE\)spawned) uWSGI master process \(pid: (\d+)\)$/,
    qr/^spawned uWSGI worker \d+ \(pid: (\d+), cores: \d+\)$/,
);

my %month;
@month{qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec)} = 0 .. 11;
my ($last_stamp, $last_epoch) = ('', 0);
my ($lines, $requests, %process, @events) = (0, 0);

open my $log, '<:raw', $file or die "$file: $!\n";
LINE: while (my $line = <$log>) {
    $lines++;
    if ($line =~ $request) {
        $requests++;
        if ($3 ne $last_stamp) {
            $last_stamp = $3;
            $last_epoch = epoch_of($3);
        }
        my $milliseconds = $5 eq 'micros' ? $4 / 1000 : $4;
        my $known = $process{$1} //= [(0) x 6];
        $known->[COUNT]++;
        $known->[SUM] += $milliseconds;
        $known->[MAX] = $milliseconds if $milliseconds > $known->[MAX];
        $known->[NUMBER] = $2;
        $known->[EPOCH] = $last_epoch;
        $known->[ERRORS]++ if $6 >= 500;
        next;
    }
    for my $expression (@lifecycle) {
        next unless $line =~ $expression;
        push @events, "$lines $line";
        next LINE;
    }
}
print "lines $lines\nrequests $requests\nevents ${\scalar @events}\n";
for my $pid (sort { $a <=> $b } keys %process) {
    print join(' ', $pid, @{$process{$pid}}), "\n";
}
print @events;

sub epoch_of {
    my (undef, $name, $day, $hour, $minute, $second, $year) = split /[ :]+/, shift;
    return timegm($second, $minute, $hour, $day, $month{$name}, $year);
}
