import type {LogEvent} from '../timeline/event.ts';
import {type Finding, NO_PROCESS, type Rule} from './rule.ts';
import {count, evidence, proof, sentences} from './wording.ts';

const rule: Rule = {
  id: 'pidfile-names-nobody',
  title: 'A uwsgi --reload or --stop reached nobody: its pid file names no process',
  severity: 'warning',
  docs: {
    sees: 'Output of the commands uwsgi --reload and uwsgi --stop that says that there is no process with the pid of the file, or no pid in it.',
    why:
      'These commands read a pid from the file and send it a signal, and that is all. Where the file is left over, or belongs to another ' +
      'server, nothing is reloaded or stopped: a deployment goes on, and the old code runs on under another pid.',
    remedy:
      'Compare the pid in the file with the master that runs. Let one side alone write the file (safe-pidfile writes it once the server ' +
      'is up; a second start with the same pidfile overwrites it and may fail), and let vacuum remove it.',
    limits: 'Which of the two commands it was, its output does not tell.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Management.html#reloading-the-server', 'unbit/uwsgi#640'],
  },
  needs: {
    messages: ['uwsgi/pidfile-signal-failed'],
    otherwise: 'no output of uwsgi --reload or uwsgi --stop is in this log',
  },
  *check(timeline) {
    const failed = timeline.events.filter(({message}) => message === 'uwsgi/pidfile-signal-failed');
    if (failed.length > 0) yield describe(failed);
  },
};

export default rule;

function describe(failed: readonly LogEvent[]): Finding | null {
  const has = (field: string) => failed.some(({fields}) => fields[field] !== undefined);
  const lines = evidence(
    failed
      .slice(0, 3)
      .map((event) => proof(event, event.fields.noPid !== undefined ? 'the file holds no pid' : 'the signal could not be sent')),
  );
  if (!lines) return null;
  return {
    title: failed.every(({fields}) => fields.noProcess !== undefined)
      ? rule.title
      : 'A uwsgi --reload or --stop reached nobody: the signal could not be sent',
    message: sentences(
      `${count(failed.length, 'command')} (uwsgi --reload or --stop) failed to send the signal.`,
      has('noProcess') && 'There is no process with the pid that stands in the file.',
      has('notPermitted') && 'The process belongs to another user.',
      has('noPid') && 'The file is empty, or holds no number.',
      'That is proved: nothing was reloaded or stopped by it. A server may run all the same, under another pid, with the code it has.',
    ),
    confidence: 'certain',
    instance: null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['whether a server runs', 'which pid the file holds'],
    fixes: [
      {
        setting: 'safe-pidfile',
        section: 'uwsgi',
        value: null,
        since: null,
        safety: 'safe',
        effect: 'the file is written when the server is up, so a start that fails does not overwrite it',
        why: 'In place of pidfile, with the same path; vacuum = true removes it at a stop.',
      },
    ],
    next: [
      'ps -eo pid,ppid,lstart,cmd | grep [u]wsgi   # does a master run, and is its pid the one in the file?',
      'kill -HUP <pid of the master>   # reloads it without the file',
    ],
    identity: ['uwsgi', 'pid file'],
  };
}
