import type {LogEvent} from '../timeline/event.ts';
import {type Finding, type Fix, NO_PROCESS, NO_SETTING, type Rule} from './rule.ts';
import {count, evidence, list, proof, sentences, unique} from './wording.ts';

/** What keeps supervisorctl out. */
type Obstacle = 'missing' | 'refused' | 'denied' | 'other';

/** ENOENT, ECONNREFUSED, EACCES and EPERM of Linux. */
const ERRNO: Readonly<Record<number, Obstacle>> = {2: 'missing', 111: 'refused', 13: 'denied', 1: 'denied'};

const SHOWS: Readonly<Record<Obstacle, string>> = {
  missing: 'the socket file is not there',
  refused: 'nobody listens behind the address',
  denied: 'this user may not open the socket',
  other: 'supervisord could not be reached',
};

const rule: Rule = {
  id: 'control-socket-unreachable',
  title: 'The control socket of supervisord cannot be reached',
  severity: 'error',
  docs: {
    sees: 'Output of supervisorctl that says that its socket does not exist, refuses the connection or may not be opened.',
    why:
      'The control program talks to supervisord through a socket file. When that file is gone, supervisord and its programs may run ' +
      'on all the same, but nobody can control them. In /tmp the file is deleted by the cleaner of the system (systemd-tmpfiles, ' +
      'tmpreaper) when it has been there for some days. A file without a listener is what a supervisord left behind that was killed.',
    remedy:
      'Do not create or touch the file: an ordinary file is no socket, and no supervisord listens on it. Put the socket outside ' +
      '/tmp (unix_http_server: file=/run/supervisor.sock, and the same in supervisorctl: serverurl) and restart supervisord ' +
      'with its own configuration, after a look whether an old one still runs.',
    limits:
      'The message does not tell whether supervisord runs: ps does. While supervisord starts or stops the same messages come ' +
      'for a moment.',
    references: [
      'http://supervisord.org/configuration.html#unix-http-server-section-settings',
      'Supervisor/supervisor#480',
      'https://www.freedesktop.org/software/systemd/man/latest/tmpfiles.d.html',
    ],
  },
  needs: {
    messages: [
      'supervisord/control-unreachable',
      'supervisord/program-status',
      'supervisord/program-error',
      'supervisord/control-failed',
    ],
    otherwise: 'no output of supervisorctl is in this log',
  },
  *check(timeline) {
    const events = timeline.events.filter(({meaning}) => meaning.kind === 'control-unreachable');
    if (events.length > 0) yield describe(events);
  },
};

export default rule;

function obstacleOf({fields}: LogEvent): Obstacle {
  if (fields.missing !== undefined) return 'missing';
  if (fields.refused !== undefined) return 'refused';
  return ERRNO[Number(fields.errno)] ?? 'other';
}

function describe(events: readonly LogEvent[]): Finding | null {
  const obstacles = unique(events.map(obstacleOf));
  const addresses = unique(events.map(({fields}) => fields.address).filter((address) => address !== undefined)).map(String);
  const inTmp = addresses.some((address) => address.startsWith('unix:///tmp/') || address.startsWith('unix:///var/tmp/'));
  const remote = addresses.length > 0 && addresses.every((address) => !address.startsWith('unix:'));
  const firsts = obstacles.flatMap((obstacle) => events.filter((event) => obstacleOf(event) === obstacle).slice(0, 3));
  const lines = evidence(firsts.map((event) => proof(event, SHOWS[obstacleOf(event)])));
  if (!lines) return null;
  const has = (obstacle: Obstacle) => obstacles.includes(obstacle);
  return {
    title: rule.title,
    message: sentences(
      `supervisorctl could not reach supervisord${addresses.length > 0 ? ` at ${list(addresses)}` : ''} (${count(events.length, 'message')}).`,
      has('missing') &&
        `"No such file": the socket file is gone${inTmp ? ', most likely deleted by the cleaner of /tmp' : ''}, or supervisord never ran ` +
          'with this configuration. A supervisord whose file was deleted runs on and cannot be controlled any more.',
      has('refused') &&
        (remote
          ? '"Refused connection": nobody listens at that address: supervisord does not run, or listens elsewhere.'
          : '"Refused connection": a file is there and nobody listens behind it: a supervisord that was killed left it behind, ' +
            'or somebody created it by hand.'),
      has('missing') &&
        has('refused') &&
        'Both in one log: the file came and went, as when it is created by hand or a second supervisord starts and stops.',
      has('denied') &&
        '"Permission denied": the user who ran supervisorctl may not open the socket (chmod, chown of the socket), or it was run without sudo.',
      'That it could not be reached is proved; whether supervisord and its programs still run is not in these lines.',
    ),
    confidence: inTmp && has('missing') ? 'likely' : 'possible',
    instance: null,
    ...NO_PROCESS,
    evidence: lines,
    against: [
      {
        hypothesis: 'supervisord runs, and its socket file was deleted',
        because: 'fits "no such file"; ps shows supervisord, and its programs serve',
        line: events.find((event) => obstacleOf(event) === 'missing')?.line ?? null,
      },
      {
        hypothesis: 'supervisord does not run',
        because: 'fits all of the messages; ps shows no supervisord',
        line: null,
      },
      {
        hypothesis: 'two supervisord with different configurations',
        because: 'fits as well: supervisorctl then asks at the address of the other one; ps shows two',
        line: null,
      },
    ],
    cannotSee: ['whether supervisord runs, and with which configuration', 'who removed or created the socket file'],
    fixes: fixesFor(inTmp, has('denied'), remote),
    next: [
      'ps -eo pid,ppid,lstart,cmd | grep [s]upervisord   # none, one, or two? with which -c?',
      ...addresses
        .filter((address) => address.startsWith('unix://'))
        .slice(0, 2)
        .map(
          (address) =>
            `ls -l ${address.slice('unix://'.length)}   # a socket begins with s; anything else was created by hand: remove it`,
        ),
      'do not touch or create the socket file: only supervisord can make it, when it starts',
      'supervisord -c /etc/supervisor/supervisord.conf   # start it with its own configuration, after the old one has ended',
      'supervisorctl -c /etc/supervisor/supervisord.conf status   # the same configuration on both sides',
    ],
    identity: ['supervisorctl', ...addresses],
  };
}

function fixesFor(inTmp: boolean, denied: boolean, remote: boolean): Fix[] {
  const fixes: Fix[] = [];
  if (!remote) {
    fixes.push({
      setting: 'file',
      section: 'unix_http_server',
      value: '/run/supervisor.sock',
      effect: 'no cleaner deletes the socket any more',
      since: null,
      safety: 'safe',
      why:
        (inTmp ? 'Files in /tmp are deleted after some days. ' : 'It must not lie where files are cleaned up. ') +
        'Then restart supervisord: it makes the socket only when it starts.',
    });
    fixes.push({
      setting: 'serverurl',
      section: 'supervisorctl',
      value: 'unix:///run/supervisor.sock',
      effect: 'supervisorctl asks where supervisord listens',
      since: null,
      safety: 'safe',
      why: 'It must name the same file as unix_http_server does.',
    });
  }
  fixes.push({
    ...NO_SETTING,
    effect: 'supervisord listens again',
    safety: 'may-cut-requests',
    why:
      'Restart supervisord with its own configuration (supervisord -c …). First end the old one with SIGTERM, which stops its ' +
      'programs as well: a second one beside it would start every program twice.',
  });
  if (denied && !remote) {
    fixes.push({
      setting: 'chown',
      section: 'unix_http_server',
      value: null,
      effect: 'this user may control supervisord',
      since: null,
      safety: 'safe',
      why: 'Set chmod=0770 and chown to a group of those who may, or run supervisorctl with sudo.',
    });
  }
  return fixes;
}
