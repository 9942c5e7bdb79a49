import {signalName} from '../timeline/signals.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {workerClass} from './arbiter-kills.ts';
import {processNames} from './deaths.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {capital, count, evidence, instanceName, proof, sentences} from './wording.ts';

/** The arbiter never sends HUP to a worker; TERM it sends where it asks one to leave; USR1 it passes on, to have the log opened anew. */
type Kind = 'HUP' | 'TERM' | 'USR1';

const rule: Rule = {
  id: 'signal-hit-workers',
  title: "A signal that was meant for gunicorn's arbiter ended its workers",
  severity: 'error',
  docs: {
    sees:
      'Workers of gunicorn that died of SIGHUP, or of SIGTERM while the arbiter had asked nobody to leave: somebody else ' +
      'signalled them. Or of SIGUSR1, with which the log is to be opened anew.',
    why:
      'Workers do not handle SIGHUP: it ends them at once, with the request in hand. A signal to the whole process group or ' +
      'control group (pkill -HUP gunicorn, systemctl kill, a closed terminal) so turns a graceful reload into a cut. SIGUSR1 goes ' +
      'from the arbiter to all workers. Those of a class that does not handle it (uvicorn.workers of uvicorn 0.17) end at once, so ' +
      'that each rotation of the log cuts all requests.',
    remedy:
      'Send the signal to the arbiter only: kill -HUP $MAINPID, systemctl kill --kill-whom=main, or the pid of the pid file. Where ' +
      'workers do not survive SIGUSR1, rotate with copytruncate, or let gunicorn write to standard error.',
    limits:
      'Who sent it, the log does not tell. With a log level above INFO the signals to the arbiter are not logged, and a SIGTERM is not judged. A uvicorn worker that ends itself after max requests can show a SIGTERM as well.',
    references: ['https://docs.gunicorn.org/en/stable/signals.html', 'benoitc/gunicorn#1813'],
  },
  needs: {
    messages: ['gunicorn/worker-terminated-by-signal', 'gunicorn/worker-sigkill-hint', 'gunicorn/booting-worker'],
    otherwise: 'no line of gunicorn about a worker is in this log',
  },
  *check(timeline) {
    for (const instance of timeline.instances.filter(({supervisor}) => supervisor === 'gunicorn')) {
      for (const kind of ['HUP', 'TERM', 'USR1'] as const) {
        const hit = instance.processes.filter((process) => isHit(process, kind));
        if (hit.length > 0) yield kind === 'USR1' ? endedByReopening(instance, hit) : describe(timeline, instance, hit, kind);
      }
    }
  },
};

export default rule;

function isHit({role, signal, asked, forced, end, started}: Process, kind: Kind): boolean {
  if (role !== 'worker' || signal === null || forced !== null) return false;
  const name = signalName(signal);
  if (kind !== 'TERM') return name === kind;
  // Above level INFO the arbiter's own signals are not logged, nor is the start of a worker.
  return name === 'TERM' && asked === null && end === 'killed' && started !== null;
}

function describe(timeline: Timeline, instance: Instance, hit: readonly Process[], kind: 'HUP' | 'TERM'): Finding | null {
  const reload = kind === 'HUP' ? (instance.reloads.find(({kind: own}) => own === 'hup') ?? null) : null;
  const toGroup = timeline.events.filter(
    ({meaning, fields}) => meaning.kind === 'signal-passed-on' && signalName(String(fields.signal)) === kind,
  );
  const lines = evidence([
    ...(reload ? [proof(reload.began, 'the arbiter got the signal too')] : []),
    ...hit.slice(0, 4).flatMap(({ended, pid}) => (ended ? [proof(ended, `the worker with pid ${pid} died of SIG${kind}`)] : [])),
    ...toGroup.slice(0, 2).map((event) => proof(event, 'systemd was asked to send it')),
  ]);
  if (!lines) return null;
  const isHup = kind === 'HUP';
  return {
    title: isHup
      ? `SIGHUP went to ${hit.length === 1 ? 'a worker' : `${hit.length} workers`}, not to the arbiter alone`
      : `${hit.length === 1 ? 'A worker was' : `${hit.length} workers were`} ended by a SIGTERM that the arbiter did not send`,
    message: sentences(
      isHup
        ? `${capital(processNames(hit))} died of SIGHUP. The arbiter never sends that to a worker, so it came from outside: that is proved.`
        : `${capital(processNames(hit))} died of SIGTERM, and no reload, stop or recycling had asked ${hit.length === 1 ? 'it' : 'them'} to leave.`,
      isHup && 'A worker does not handle it: it ended at once, with the request that it had in hand.',
      isHup && reload !== null && 'The arbiter got it as well and reloads: the signal went to the whole group.',
      !isHup &&
        'Somebody else sent it: pkill, a platform that signals every process (Heroku), a script. It may also be a uvicorn worker that ends itself.',
    ),
    confidence: isHup ? 'certain' : 'likely',
    instance: instance.id,
    reload: reload?.id ?? null,
    pids: hit.map(({pid}) => pid),
    workers: [],
    evidence: lines,
    against: isHup
      ? []
      : [
          {
            hypothesis: 'the arbiter asked for it (a reload, ttou)',
            because: 'it says so when it takes up a signal, and this log has no such line there',
            line: null,
          },
        ],
    cannotSee: ['who sent the signal', `${count(hit.length, 'request')} or more that may have been cut: they have no line`],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'workers finish their requests',
        safety: 'safe',
        tried: kind === 'HUP',
        why: 'Signal the arbiter alone: kill -HUP $MAINPID in ExecReload, kill -HUP $(cat its pid file), systemctl kill --kill-whom=main (--kill-who before systemd 252).',
      },
    ],
    next: ['grep -rn "pkill\\|killall\\|systemctl kill" in deployment scripts and in logrotate\'s postrotate'],
    identity: [instanceName(instance), kind],
  };
}

/** The arbiter's own line tells that it passed the signal on; above level INFO there is none. */
function endedByReopening(instance: Instance, hit: readonly Process[]): Finding | null {
  const passed = hit.filter(({ownedBy}) => ownedBy !== null);
  const isShown = passed.length === hit.length;
  const lines = evidence([
    ...passed
      .slice(0, 1)
      .flatMap(({ownedBy}) =>
        ownedBy ? [proof(ownedBy, 'the arbiter is told to open its log anew, and tells its workers')] : [],
      ),
    ...hit.slice(0, 4).flatMap(({ended, pid}) => (ended ? [proof(ended, `the worker with pid ${pid} died of SIGUSR1`)] : [])),
  ]);
  if (!lines) return null;
  const ofClass = workerClass(instance);
  return {
    title: `Opening the log anew ended ${hit.length === 1 ? 'a worker' : `${hit.length} workers`}`,
    message: sentences(
      `${capital(processNames(hit))} died of SIGUSR1, ${hit.length === 1 ? 'with the request that it had' : 'with the requests that they had'} in hand.`,
      isShown
        ? 'The arbiter passes that signal on to all of its workers, so that they open the log anew. These do not handle it: that is proved.'
        : 'The arbiter sends it to all of its workers when it is told to open its log anew; this log does not show that it was.',
      ofClass !== null && `They are of the class ${ofClass}.`,
    ),
    confidence: isShown ? 'certain' : 'likely',
    instance: instance.id,
    reload: null,
    pids: hit.map(({pid}) => pid),
    workers: [],
    evidence: lines,
    against: isShown
      ? []
      : [
          {
            hypothesis: 'somebody sent the signal to the workers themselves',
            because: 'the log does not tell who did',
            line: null,
          },
        ],
    cannotSee: [`${count(hit.length, 'request')} or more that may have been cut: they have no line`],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'workers live on when the log is rotated',
        safety: 'safe',
        why: "Rotate with copytruncate and without a signal, or let gunicorn write to standard error, where its supervisor rotates. Or install a version of the worker's class that handles SIGUSR1.",
      },
    ],
    next: ['grep -rn USR1 /etc/logrotate.d'],
    identity: [instanceName(instance), 'USR1'],
  };
}
