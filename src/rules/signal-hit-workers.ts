import {signalName} from '../timeline/signals.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {processNames} from './deaths.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {capital, count, evidence, instanceName, proof, sentences} from './wording.ts';

/** The arbiter never sends HUP to a worker; TERM it sends where it asks one to leave. */
type Kind = 'HUP' | 'TERM';

const rule: Rule = {
  id: 'signal-hit-workers',
  title: "A signal that was meant for gunicorn's arbiter hit its workers",
  severity: 'error',
  docs: {
    sees:
      'Workers of gunicorn that died of SIGHUP, or of SIGTERM while the arbiter had asked nobody to leave: somebody else ' +
      'signalled them.',
    why:
      'Workers do not handle SIGHUP: it ends them at once, with the request in hand. A signal to the whole process group or ' +
      'control group (pkill -HUP gunicorn, systemctl kill, a closed terminal) so turns a graceful reload into a cut.',
    remedy:
      'Send the signal to the arbiter only: kill -HUP $MAINPID, systemctl kill --kill-whom=main, or the pid of the pid file.',
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
      for (const kind of ['HUP', 'TERM'] as const) {
        const hit = instance.processes.filter((process) => isHit(process, kind));
        if (hit.length > 0) yield describe(timeline, instance, hit, kind);
      }
    }
  },
};

export default rule;

function isHit({role, signal, asked, forced, end, started}: Process, kind: Kind): boolean {
  if (role !== 'worker' || signal === null || forced !== null) return false;
  const name = signalName(signal);
  if (kind === 'HUP') return name === 'HUP';
  // Above level INFO the arbiter's own signals are not logged, nor is the start of a worker.
  return name === 'TERM' && asked === null && end === 'killed' && started !== null;
}

function describe(timeline: Timeline, instance: Instance, hit: readonly Process[], kind: Kind): Finding | null {
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
