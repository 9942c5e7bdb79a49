import {between} from '../timeline/time.ts';
import {inferredTie, isKilledUnannounced, outerName, stopSignalOf, stopsTakenAsReload, type TakenAsReload} from './outer.ts';
import type {Evidence, Finding, Fix, Rule} from './rule.ts';
import {isOn} from './settings.ts';
import {duration, evidence, instanceName, proof, sentences} from './wording.ts';

const rule: Rule = {
  id: 'stop-became-reload',
  title: 'A stop was taken as a reload: uWSGI started anew and had to be killed',
  severity: 'error',
  docs: {
    sees:
      'A uWSGI that reloads brutally when its outer supervisor stops it, or that does so and is killed or started from nothing ' +
      'shortly after.',
    why:
      'To uWSGI SIGTERM means "reload at once" unless die-on-term is set, while supervisord, systemd, docker and Kubernetes send ' +
      'it to stop a program. uWSGI ends its workers, starts itself anew and serves on, until the outer supervisor loses patience ' +
      'and kills the master with SIGKILL: the stop takes the whole time limit, new requests are cut, and workers may survive and ' +
      'keep the port.',
    remedy:
      'Set die-on-term = true in uWSGI, or let the outer supervisor send SIGINT or SIGQUIT. A longer time limit does not help: ' +
      'the stop would never end.',
    limits:
      'Without a line of the outer supervisor it is inferred from what follows the reload. With die-on-term the roles are ' +
      'exchanged: then SIGQUIT is the one that reloads.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#die-on-term',
      'https://uwsgi-docs.readthedocs.io/en/latest/Management.html',
      'unbit/uwsgi#296',
    ],
  },
  settings: ['stopsignal', 'KillSignal'],
  restsOnOwners: true,
  needs: {
    messages: ['uwsgi/brutal-reload', 'uwsgi/stop-signal', 'uwsgi/master-spawned', 'uwsgi/master-respawned'],
    otherwise: 'no line of this log tells of a start, a stop or a brutal reload of uWSGI',
  },
  *check(timeline) {
    for (const taken of stopsTakenAsReload(timeline)) {
      yield describe(taken);
    }
  },
};

export default rule;

function describe(taken: TakenAsReload): Finding | null {
  const {instance, reload, outer, end} = taken;
  const swapped = isOn(instance, 'die-on-term');
  const signal = swapped ? 'SIGQUIT' : 'SIGTERM';
  const waited = outer?.life.forced?.patience ?? null;
  const supervisor = outer?.supervisor.supervisor ?? null;
  const name = outer === null ? '' : outerName(outer.supervisor);
  const program = outer?.life.program ?? 'uWSGI';
  const tie = inferredTie(instance, outer);
  const lines = evidence(proofs(taken));
  if (!lines) return null;
  const {reExecuted} = reload;
  const isInferred = outer === null || isKilledUnannounced(outer);
  return {
    title: isInferred
      ? 'A stop was probably taken as a reload: uWSGI started anew and was killed'
      : end === null
        ? `${name}'s stop was taken as a reload${reExecuted === null ? '' : ': uWSGI started anew'}`
        : `${name}'s stop was taken as a reload: uWSGI started anew and was killed`,
    message: sentences(
      isInferred
        ? `uWSGI got ${signal} and reloaded brutally; shortly after it was gone without a stop of its own.`
        : `${name} asked ${program} to stop, and uWSGI reloaded: to it ${signal} means "reload at once" ${swapped ? 'where' : 'unless'} die-on-term is set.`,
      reExecuted !== null && `Its ${masterOf(instance)} replaced its own image, started new workers and served on.`,
      outer !== null &&
        end !== null &&
        outer.life.forced === null &&
        `${isInferred ? `Its container ${program} left with status 137:` : 'Then it was killed inside its container: status 137 is'} 128 + 9, SIGKILL. The new workers lost their master.`,
      outer !== null &&
        end !== null &&
        outer.life.forced !== null &&
        `${waited === null || waited.max === null ? 'Then' : `After ${duration(waited)}`} ${name.replace(/^The /, 'the ')} killed it with SIGKILL; the new workers lost their master.`,
      reload.workers.every(({end: how}) => how === 'clean') && 'No worker hung: those of the old generation left by themselves.',
      'A longer time limit would change nothing: nothing was on its way to an end.',
      isInferred &&
        `That somebody meant to stop it is inferred: ${outer === null ? 'no line of an outer supervisor is here' : 'docker stop, and compose at a restart or a stop, send SIGTERM, wait 10 s and kill'}.`,
      tie,
    ),
    confidence: isInferred || tie !== null ? 'likely' : 'certain',
    severity: end === null ? 'warning' : 'error',
    instance: instance.id,
    reload: reload.id,
    pids: instance.masterPid === null ? [] : [instance.masterPid],
    workers: [],
    evidence: lines,
    against: [
      ...(isInferred
        ? [
            {
              hypothesis: 'a reload that was wanted, and a crash or kill of another cause after it',
              because: 'it fits as well; the log of the outer supervisor decides',
              line: null,
            },
          ]
        : []),
      {
        hypothesis: 'outer-timeout-too-short',
        because:
          reExecuted === null
            ? 'uWSGI was not stopping: its line is that of a reload, after which it serves on'
            : 'uWSGI was not stopping: it had begun to serve again, and would have gone on for ever',
        line: (reExecuted ?? reload.began).line,
      },
    ],
    cannotSee: ['the signal itself: uWSGI prints only what it does about it', 'requests that were cut: they have no line'],
    fixes: fixesFor(swapped, supervisor, outer?.life.program ?? null),
    next: [
      swapped
        ? 'with die-on-term SIGTERM stops and SIGQUIT reloads: see which signal the outer supervisor sends'
        : "grep -n 'die-on-term' in the configuration; uwsgi --show-config prints what is in force",
    ],
    identity: [instanceName(instance), 'stop became reload'],
  };
}

function masterOf({masterPid}: TakenAsReload['instance']): string {
  return masterPid === null ? 'master' : `master (pid ${masterPid})`;
}

function proofs({reload, outer, end, instance}: TakenAsReload): Evidence[] {
  const {life} = outer ?? {};
  const {reExecuted} = reload;
  const kept = end !== null && reExecuted !== null ? between(reExecuted.at, end.at) : null;
  return [
    ...(life?.asked ? [proof(life.asked.event, 'the outer supervisor asks the program to stop')] : []),
    proof(reload.began, 'uWSGI takes it as a reload'),
    ...(reExecuted ? [proof(reExecuted, 'the master starts itself anew, with the same pid')] : []),
    ...(end
      ? [
          proof(
            end,
            life?.forced
              ? `the outer supervisor loses patience${kept && kept.min > 0 ? `, ${duration(kept)} after the new start` : ''}`
              : end === life?.ended
                ? 'it was killed inside its container'
                : end.meaning.kind === 'master-lost'
                  ? 'the new workers lost their master: it was killed'
                  : 'a start from nothing: the server before it was gone without a goodbye',
          ),
        ]
      : []),
    ...(life?.ended && life.ended !== end ? [proof(life.ended, `the ${masterOf(instance)} is gone`)] : []),
  ];
}

function fixesFor(swapped: boolean, supervisor: string | null, program: string | null): Fix[] {
  const other = stopSignalOf(supervisor ?? '');
  const section = supervisor === 'systemd' ? 'Service' : supervisor === 'supervisord' ? `program:${program}` : null;
  const effect = 'the stop ends when the workers have left, in place of a kill at the time limit';
  const signal: Fix | null =
    supervisor === 'supervisord' || supervisor === 'systemd'
      ? {
          setting: other.setting,
          section,
          value: swapped ? (supervisor === 'systemd' ? 'SIGTERM' : 'TERM') : other.value,
          effect,
          since: null,
          safety: 'safe',
          why: swapped
            ? 'With die-on-term it is SIGTERM that stops uWSGI.'
            : 'The same from the other side: SIGINT (or SIGQUIT) stops uWSGI, whatever die-on-term says.',
        }
      : null;
  const term: Fix = {
    setting: 'die-on-term',
    section: 'uwsgi',
    value: 'true',
    effect,
    since: null,
    safety: 'safe',
    why:
      'SIGTERM then stops uWSGI, as everybody else expects. Reload with SIGHUP, touch-reload or the FIFO; what used SIGTERM to ' +
      'reload must change, and SIGQUIT reloads brutally then.',
  };
  return swapped ? (signal === null ? [] : [signal]) : [term, ...(signal === null ? [] : [signal])];
}
