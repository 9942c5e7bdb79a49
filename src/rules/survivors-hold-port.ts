import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {processNames} from './deaths.ts';
import {inferredTie, type Outer, outerOf} from './outer.ts';
import type {Finding, Fix, Rule} from './rule.ts';
import {givenUpAfter, type Survival, survivalsIn} from './survivors.ts';
import {addressOf, capital, count, evidence, instanceName, list, numbers, proof, sentences, unique} from './wording.ts';

const rule: Rule = {
  id: 'survivors-hold-port',
  title: 'Workers outlived their master and kept the address: the next start found it in use',
  severity: 'error',
  docs: {
    sees:
      'A master that was killed, or that its workers say they have lost, workers of it without an end, and a next start of the ' +
      'same server that finds the address in use.',
    why:
      'SIGKILL hits the master alone; its workers hold the listening socket too. One that is busy or hangs notices late, or ' +
      'never, that its master is gone. Until then nobody else can listen there: the new server fails or waits, while the old ' +
      'worker still answers, with the old code.',
    remedy:
      'End the survivors now. Then let the outer supervisor signal the whole group (killasgroup and stopasgroup of supervisord, ' +
      "KillMode=control-group or mixed of systemd), and see to it that the master isn't killed: a longer time limit, or a stop " +
      'that the server takes for one.',
    limits:
      'The log does not say who holds the address. Another instance, started by somebody else, looks the same; a master that was ' +
      'killed with workers left over makes these the likely holders.',
    references: [
      'http://supervisord.org/configuration.html#program-x-section-values',
      'https://www.freedesktop.org/software/systemd/man/latest/systemd.kill.html#KillMode=',
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#no-orphans',
    ],
  },
  settings: ['KillMode', 'killasgroup'],
  needs: {
    messages: [
      'uwsgi/address-in-use',
      'gunicorn/connection-in-use',
      'gunicorn/cannot-connect',
      'uwsgi/starting',
      'gunicorn/starting',
    ],
    otherwise: 'no start is in this log: give the lines from the start-up banner on',
  },
  *check(timeline) {
    const serverOf = ({instance}: Survival) => instance.runsAs?.name ?? instanceName(instance);
    for (const [name, group] of groupBy(survivalsIn(timeline), serverOf)) {
      yield describe(timeline, name, group);
    }
  },
};

export default rule;

function describe(timeline: Timeline, name: string, group: readonly [Survival, ...Survival[]]): Finding | null {
  const [first] = group;
  const {instance, end, refused} = first;
  const survivors = group.flatMap((each) => each.survivors);
  const signs = group.flatMap((each) => each.signs);
  const outer = outerOf(timeline, instance);
  const isToldOutside = outer !== null && end.message.startsWith(`${outer.supervisor.supervisor}/`);
  const tie = isToldOutside ? inferredTie(instance, outer) : null;
  const lastRefusal = refused.at(-1);
  const recovered = timeline.instances.find(
    ({predecessor, epochs}) =>
      predecessor === instance.id &&
      lastRefusal &&
      epochs[0]?.master?.input === lastRefusal.input &&
      precedes(lastRefusal, epochs[0].master),
  );
  const [abandoned] = group.flatMap((each) => givenUpAfter(timeline, each) ?? []);
  const lines = evidence([
    proof(end, end.meaning.kind === 'master-lost' ? 'the master is gone: its worker says so' : 'the master is killed'),
    ...refused
      .slice(0, 2)
      .map((event) =>
        proof(event, `the next start finds the address ${event.fields['address'] ?? ''} in use`.replace('  ', ' ')),
      ),
    ...signs.slice(0, 3).map((event) => proof(event, 'one of its processes was still there')),
    ...(recovered?.epochs[0]?.master ? [proof(recovered.epochs[0].master, 'a later start got the address')] : []),
    ...(abandoned ? [proof(abandoned, `${name} is given up`)] : []),
  ]);
  if (!lines) return null;
  const isSeen = signs.length > 0;
  const attempts = unique(group.flatMap((each) => each.refused).map(({input, line}) => `${input} ${line}`)).length;
  const apart = lastRefusal ? between(end.at, lastRefusal.at) : null;
  return {
    title: rule.title,
    message: sentences(
      `The master of ${name}${instance.masterPid === null ? '' : ` (pid ${instance.masterPid})`} ${
        end.meaning.kind === 'master-lost' ? 'went away without a goodbye' : `was killed${byWhom(first)}`
      }, and its workers stayed.`,
      `${capital(processNames(survivors))} had no end by then.`,
      `The next start found the address in use${attempts > 1 ? ` (${count(attempts, 'line')} say so)` : ''}${
        apart && apart.min >= 1 ? `, as late as ${Math.round(apart.min)} s after` : ''
      }.`,
      recovered ? 'A later start got the address.' : 'No later start in this log got the address.',
      abandoned !== undefined && `Its supervisor gave ${name} up: nobody tries again until a person does.`,
      isSeen
        ? 'That they outlived their master is proved; that they are the ones who held the address follows from it.'
        : 'That they hold it is inferred: nobody else is in the log.',
      tie,
    ),
    confidence: isSeen && end.meaning.kind !== 'master-lost' && tie === null ? 'certain' : 'likely',
    instance: instance.id,
    reload: null,
    pids: unique(survivors.map(({pid}) => pid)),
    workers: numbers(survivors.filter(({role}) => role === 'worker')),
    evidence: lines,
    against: [
      {
        hypothesis: 'another instance of the same server, started by somebody else',
        because: isSeen ? 'processes of the killed one were still there' : 'no second start is in the log; ss tells who listens',
        line: (signs[0] ?? end).line,
      },
    ],
    cannotSee: ['who holds the address: ss -ltnp tells, while it lasts'],
    fixes: fixesFor(outer, instance.supervisor),
    next: [
      `ss -ltnxp   # who listens${refused[0]?.fields['address'] === undefined ? '' : ` on ${addressOf(String(refused[0].fields['address']))}`}`,
      `ps -o pid,ppid,lstart,cmd -p ${list(unique(survivors.map(({pid}) => pid)))
        .replace(/ and /, ',')
        .replaceAll(', ', ',')}   # parent 1: the master is gone; end them with kill, then kill -9`,
    ],
    identity: [instanceName(instance), 'survivors'],
  };
}

function byWhom({master}: Survival): string {
  const by = master?.killedBy ?? null;
  return by === null
    ? ''
    : by === 'kernel'
      ? ' by the kernel, for want of memory'
      : by === 'platform'
        ? ' by the platform'
        : ` by ${by}`;
}

function fixesFor(outer: Outer | null, supervisor: string): Fix[] {
  const program = outer?.life.program ?? null;
  const effect = 'no worker is left behind when the master is killed';
  const byOuter: Fix[] =
    outer?.supervisor.supervisor === 'systemd'
      ? [
          {
            setting: 'KillMode',
            section: 'Service',
            value: 'mixed',
            effect,
            since: null,
            safety: 'safe',
            why: 'The master is asked alone, and what is left of the unit is killed when it has gone. KillMode=process leaves the workers.',
          },
        ]
      : [
          {
            setting: 'killasgroup',
            section: program === null ? 'program:x' : `program:${program}`,
            value: 'true',
            effect,
            since: null,
            safety: 'may-cut-requests',
            why: 'Where supervisord runs it: SIGKILL then goes to the whole process group, not to the master alone.',
          },
        ];
  const own: Fix[] =
    supervisor === 'uwsgi'
      ? [
          {
            setting: 'no-orphans',
            section: 'uwsgi',
            value: 'true',
            effect: 'the kernel kills the workers as soon as their master is gone, whatever they do',
            since: null,
            safety: 'may-cut-requests' as const,
            why: 'For kills that no setting of the outer supervisor covers (Linux: prctl, PR_SET_PDEATHSIG). Their requests are cut.',
          },
        ]
      : [];
  // Where no outer supervisor is seen, what the server itself can do comes first.
  return outer === null ? [...own, ...byOuter] : [...byOuter, ...own];
}
