import {between} from '../timeline/time.ts';
import type {Instance, Process} from '../timeline/timeline.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {count, evidence, proof, sentences} from './wording.ts';

/** Seconds: a program that went into the background has left by then. */
const SOON = 60;

const rule: Rule = {
  id: 'program-left-by-itself',
  title: 'A program of supervisord left in good order and stays away',
  severity: 'info',
  docs: {
    sees: 'A program that ended with exit status 0 soon after its start while nobody had asked it to, and is not there again.',
    why:
      'A server that puts itself into the background (gunicorn --daemon, uWSGI daemonize, a wrapper that ends in &) leaves with ' +
      'status 0: supervisord then watches nothing, and with autorestart=unexpected does not start it again. What went into the ' +
      'background runs on, unsupervised, and holds the port.',
    remedy: 'Run it in the foreground, and let a wrapper end in exec.',
    limits: 'A program that is meant to end (a migration, a one-off job) looks the same.',
    references: ['https://supervisord.org/subprocess.html#nondaemonizing-of-subprocesses'],
  },
  needs: {
    messages: ['supervisord/exited', 'supervisord/spawned'],
    otherwise: 'no line of supervisord about a program is in this log',
  },
  *check(timeline) {
    for (const instance of timeline.instances.filter(({supervisor}) => supervisor === 'supervisord')) {
      const names = new Set(instance.processes.map(({program}) => program).filter((name) => name !== null));
      for (const name of names) {
        const own = instance.processes.filter(({role, program}) => role === 'program' && program === name);
        yield describe(instance, name, own);
      }
    }
  },
};

export default rule;

function describe(instance: Instance, name: string, lives: readonly Process[]): Finding | null {
  const left = lives.filter((process) => isGoodExit(process));
  const last = lives.at(-1);
  // One that comes up again and again is a crash loop; one that stays up is well.
  if (last === undefined || !isGoodExit(last) || left.length < lives.length) return null;
  const lines = evidence([
    ...left
      .slice(-3)
      .flatMap(({started, ended}) => [
        ...(started ? [proof(started, `${name} is started`)] : []),
        ...(ended ? [proof(ended, 'it leaves by itself, with status 0')] : []),
      ]),
  ]);
  if (!lines) return null;
  return {
    title: `${name} left by itself with exit status 0`,
    message: sentences(
      `${name} ended in good order ${left.length > 1 ? `${count(left.length, 'time')}, each time` : ''} soon after its start, and nobody had asked it to. That is proved.`.replace(
        '  ',
        ' ',
      ),
      'supervisord calls that expected and does not start it again (autorestart=unexpected).',
      'For a job that is done this is right. A server has put itself into the background (daemonize, --daemon, a wrapper with &): it may run on, unsupervised, and hold the port.',
    ),
    confidence: 'possible',
    instance: instance.id,
    reload: null,
    pids: left.map(({pid}) => pid),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'a program that is meant to end',
        because: 'a migration or a one-off job ends like this; startsecs=0 with autorestart=false would say so',
        line: null,
      },
    ],
    cannotSee: ['whether a process went into the background'],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'supervisord watches the server itself',
        safety: 'safe',
        why: 'Run it in the foreground (gunicorn without --daemon, uWSGI without daemonize), and let a wrapper end in exec. Stop what runs in the background first.',
      },
    ],
    next: ['ps -eo pid,ppid,lstart,cmd --forest   # a server with parent 1 that supervisord does not know'],
    identity: [name, 'status 0'],
  };
}

function isGoodExit({startedAt, ended, asked}: Process): boolean {
  if (ended?.message !== 'supervisord/exited' || ended.fields.status !== 0 || ended.fields.expected !== true || asked !== null)
    return false;
  return between(startedAt, ended.at).min <= SOON;
}
