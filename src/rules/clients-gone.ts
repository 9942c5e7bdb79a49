import {greatest} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {between, isBefore} from '../timeline/time.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {isComparable} from './proxy-cuts.ts';
import {type Finding, type Fix, NO_PROCESS, type Rule} from './rule.ts';
import {count, evidence, list, proof, seconds, sentences, unique} from './wording.ts';

/** As many lost answers are no longer people who leave a page. */
const MANY = 10;
/** Seconds that a proxy waits by default: nginx's uwsgi_read_timeout and proxy_read_timeout. */
const PROXY = 60;

const rule: Rule = {
  id: 'clients-gone',
  title: 'Clients or the proxy hung up before they had their answer',
  severity: 'warning',
  docs: {
    sees: 'Lines of uWSGI about answers that it could not write: SIGPIPE, "Broken pipe", "Connection reset by peer", "write error".',
    why:
      'Whoever asked has gone: a person who left the page, a client whose time limit was over, or the proxy, which answers with ' +
      '504 or 499 in its place. uWSGI does the work all the same, and the worker is busy for nobody.',
    remedy:
      "Compare with the proxy's access log: 499 is the client, 504 the proxy's own time limit. Where it is the time limit, make the " +
      'request faster or the limit longer than harakiri. Otherwise the lines are harmless and can be switched off.',
    limits:
      'Who hung up, uWSGI does not know. Workers with threads do not say which request it was, and an answer that is written in ' +
      'one piece leaves no line.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#ignore-sigpipe',
      'https://nginx.org/en/docs/http/ngx_http_uwsgi_module.html#uwsgi_read_timeout',
      'unbit/uwsgi#1171',
    ],
  },
  needs: {
    messages: ['uwsgi/sigpipe', 'uwsgi/request-error', 'uwsgi/python-write-error', 'uwsgi/write-timeout'],
    otherwise: 'no line tells of an answer that could not be written',
  },
  *check(timeline) {
    const lost = timeline.events.filter(isLost);
    for (const group of groupBy(lost, ({input, stream}) => `${input} ${stream ?? ''}`).values()) {
      yield describe(timeline, group);
    }
  },
};

export default rule;

function isLost({message, fields}: LogEvent): boolean {
  if (message === 'uwsgi/request-error') return fields.clientGone !== undefined;
  return message === 'uwsgi/sigpipe' || message === 'uwsgi/python-write-error' || message === 'uwsgi/write-timeout';
}

function describe(timeline: Timeline, lost: readonly LogEvent[]): Finding | null {
  // One answer that is lost has up to three lines.
  const kinds = ['uwsgi/sigpipe', 'uwsgi/request-error', 'uwsgi/python-write-error', 'uwsgi/write-timeout'];
  const answers = greatest(kinds.map((kind) => lost.filter(({message}) => message === kind).length));
  const gaveUp = timeline.events.filter(
    (event) =>
      (event.message === 'nginx/timed-out' || (event.message === 'nginx/unanswered' && Number(event.fields['status']) === 504)) &&
      lost.some(
        (answer) =>
          answer.fields['uri'] === event.fields['uri'] && isComparable(event, answer, timeline) && !isBefore(answer.at, event.at),
      ),
  );
  const lines = evidence([
    ...gaveUp.slice(0, 2).map((event) => proof(event, 'nginx gives up waiting for it')),
    ...lost.slice(0, 3).map((event) => proof(event, 'an answer could not be written')),
    ...lost
      .slice(3)
      .slice(-1)
      .map((event) => proof(event, 'the last one')),
  ]);
  const [first] = lost;
  const last = lost.at(-1);
  if (!lines || !first || !last) return null;
  const paths = unique(lost.flatMap(({fields}) => (fields.uri === undefined ? [] : [String(fields.uri).replace(/\?.*/, '')])));
  const from = between(first.at, last.at).min;
  const instance = instanceOfEvent(timeline, first);
  // In milliseconds; a request whose client has gone has its line all the same.
  const longest = Math.max(
    0,
    greatest((instance?.processes ?? []).flatMap(({segments}) => segments.map((segment) => segment.longest))),
  );
  const isShort = longest > 0 && longest < PROXY * 1000;
  return {
    title: `${rule.title}${answers > 1 ? `, ${count(answers, 'time')}` : ''}`,
    severity: answers < MANY ? 'info' : 'warning',
    message: sentences(
      `${count(answers, 'answer')} could not be written: the other end had closed the connection${from > 0 ? `, within ${seconds(from)}` : ''}.`,
      paths.length > 0 && `${answers === 1 ? 'It belongs' : 'They belong'} to ${list(paths, 4)}.`,
      gaveUp.length > 0
        ? `That is proved. nginx gave up waiting for ${count(unique(gaveUp.map(({fields}) => fields['uri'])).length, 'such request')} before: most likely its own time limit (${PROXY} s unless set) closed the connection.`
        : isShort
          ? `That is proved. Who closed it uWSGI does not know: the client, or a proxy with a short time limit. No request of this log took longer than ${seconds(Math.ceil(longest / 1000))}, so it was not nginx's default of ${PROXY} s.`
          : `That is proved. Who closed it uWSGI does not know: the client, or a proxy whose time limit (nginx: ${PROXY} s) was over.`,
    ),
    confidence: gaveUp.length > 0 ? 'likely' : 'possible',
    instance: instance?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [
      {
        hypothesis: 'people who left the page or reloaded it',
        because:
          gaveUp.length > 0
            ? 'nginx says of the same address that it was itself'
            : answers < MANY
              ? 'it fits as well: a few of these are normal'
              : 'it fits as well; it takes many of them',
        line: gaveUp[0]?.line ?? null,
      },
    ],
    cannotSee: [
      ...(gaveUp.length > 0 ? [] : ['who closed the connection']),
      'how long the client had waited: the request line, where there is one, tells the time it took',
    ],
    fixes: FIXES,
    next: ["grep ' 499 \\| 504 ' in the proxy's access log at that time   # 499: the client left, 504: the proxy's time limit"],
    identity: ['uwsgi', 'clients gone'],
  };
}

const FIXES: readonly Fix[] = [
  {
    setting: 'uwsgi_read_timeout',
    section: 'nginx',
    value: null,
    effect: "where the proxy's access log has 504 for them: the answer is still waited for",
    since: null,
    safety: 'safe',
    why: 'Longer than the longest request that is meant to succeed, and longer than harakiri, so that the inner limit strikes first.',
  },
  {
    setting: 'ignore-sigpipe',
    section: 'uwsgi',
    value: null,
    effect: 'where it has 499: the lines are gone, and nothing else changes',
    since: null,
    safety: 'safe',
    why: 'Together with ignore-write-errors and disable-write-exception; the proxy still counts them.',
  },
];
