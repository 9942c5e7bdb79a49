import type {TimedLine} from './plain-run.ts';

/** What a transport makes of a log; and what has to be known of the result. */
export interface Envelope {
  /** As reported, outermost first. */
  readonly names: readonly string[];
  readonly wrap: (lines: readonly TimedLine[]) => string | Buffer;
  /** The stamps tell when a line was written. */
  readonly isTimed: boolean;
  /** The result is a record of its own for each line: physical lines per line of the log. */
  readonly linesPerLine?: number;
  readonly zone?: 'UTC' | null;
  readonly stream?: string | null;
}

export const two = (value: number) => String(value).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

export const iso = (time: number) => new Date(time).toISOString().slice(0, 19);
export const micros = (time: number) => `${two(time % 1000).padStart(3, '0')}000`;
export const zulu = (time: number) => `${iso(time)}.${micros(time)}321Z`;
export const clock = (time: number) => iso(time).slice(11);
export const day = (time: number) => iso(time).slice(0, 10);
const weekday = (time: number) => DAYS[new Date(time).getUTCDay()] as string;
export const syslog = (time: number, pad = '0') =>
  `${MONTHS[new Date(time).getUTCMonth()]} ${String(new Date(time).getUTCDate()).padStart(2, pad)} ${clock(time)}`;
const full = (time: number) => `${weekday(time)} ${day(time)} ${clock(time)}`;
const ctime = (time: number) => `${weekday(time)} ${syslog(time, ' ')} ${day(time).slice(0, 4)}`;
export const twelveHours = (time: number) => {
  const date = new Date(time);
  const hour = date.getUTCHours();
  return `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}, ${hour % 12 === 0 ? 12 : hour % 12}:${clock(time).slice(3)} ${hour < 12 ? 'AM' : 'PM'}`;
};
const tai64n = (time: number) =>
  `@${(2n ** 62n + 10n + BigInt(Math.floor(time / 1000))).toString(16)}${((time % 1000) * 1e6).toString(16).padStart(8, '0')}`;

/** One line for each. */
export const each = (put: (text: string, time: number, index: number) => string) => (lines: readonly TimedLine[]) =>
  `${lines.map(({text, time}, index) => put(text, time, index)).join('\n')}\n`;
const message = (text: string) => (text.trim() === '' ? '' : text);

const fields = (text: string, time: number) => ({
  __CURSOR: `s=bbf2;t=${time}`,
  __REALTIME_TIMESTAMP: `${time}000`,
  __MONOTONIC_TIMESTAMP: '2121058362',
  _BOOT_ID: '6ae1b3f4',
  PRIORITY: '6',
  _HOSTNAME: 'vm',
  _SYSTEMD_UNIT: 'uwsgi.service',
  SYSLOG_IDENTIFIER: 'uwsgi',
  _PID: '205',
  MESSAGE: text,
});
const pretty = (record: object) => JSON.stringify(record, null, '\t').replace(/^(\t"[^"]*"): /gm, '$1 : ');
const binary = (text: string) => {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from('MESSAGE\n'), length, bytes, Buffer.from('\n')]);
};

const quoted = (value: string) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
const zoneless = (time: number) => `${day(time)} ${clock(time)}.${micros(time).slice(0, 3)}`;
/** Newest first, below the names of the columns. */
const rows = (heading: string, row: (text: string, time: number) => readonly string[]) => (lines: readonly TimedLine[]) =>
  `${[heading, ...lines.toReversed().map(({text, time}) => row(text, time).map(quoted).join(','))].join('\n')}\n`;
const kibana = (time: number) =>
  `${MONTHS[new Date(time).getUTCMonth()]} ${new Date(time).getUTCDate()}, ${day(time).slice(0, 4)} @ ${zoneless(time).slice(11)}`;
const brokenAt = (columns: number) => (text: string) =>
  text.length <= columns ? [text] : (text.match(new RegExp(`.{1,${columns}}`, 'g')) as string[]);

/** By name; each around every line. */
export const envelopes: Readonly<Record<string, Envelope>> = {
  'journalctl short': {
    names: ['syslog'],
    isTimed: true,
    stream: 'vm/uwsgi',
    wrap: each((text, time) => `${syslog(time)} vm uwsgi[205]: ${text}`),
  },
  'journalctl short-precise': {
    names: ['syslog'],
    isTimed: true,
    wrap: each((text, time) => `${syslog(time)}.${micros(time)} vm uwsgi[205]: ${text}`),
  },
  'journalctl short-iso': {
    names: ['syslog'],
    isTimed: true,
    zone: 'UTC',
    wrap: each((text, time) => `${iso(time)}+0000 vm uwsgi[205]: ${text}`),
  },
  'journalctl short-iso of 255': {
    names: ['syslog'],
    isTimed: true,
    zone: 'UTC',
    wrap: each((text, time) => `${iso(time)}+00:00 vm uwsgi[205]: ${text}`),
  },
  'journalctl short-iso-precise': {
    names: ['syslog'],
    isTimed: true,
    zone: 'UTC',
    wrap: each((text, time) => `${iso(time)}.${micros(time)}+0000 vm uwsgi[205]: ${text}`),
  },
  'journalctl short-full': {
    names: ['syslog'],
    isTimed: true,
    zone: 'UTC',
    wrap: each((text, time) => `${full(time)} UTC vm uwsgi[205]: ${text}`),
  },
  'journalctl short-full elsewhere': {
    names: ['syslog'],
    isTimed: true,
    zone: null,
    wrap: each((text, time) => `${full(time)} CEST vm uwsgi[205]: ${text}`),
  },
  'journalctl with-unit': {
    names: ['syslog'],
    isTimed: true,
    stream: 'vm/user@1000.service/app.service',
    wrap: each((text, time) => `${full(time)} UTC vm user@1000.service/app.service[205]: ${text}`),
  },
  'journalctl short-monotonic': {
    names: ['syslog'],
    isTimed: false,
    wrap: each((text, time) => `[${((time % 1e7) / 1000).toFixed(6).padStart(12)}] vm uwsgi[205]: ${text}`),
  },
  'journalctl short-delta': {
    names: ['syslog'],
    isTimed: false,
    wrap: each(
      (text, time, index) =>
        `[${((time % 1e7) / 1000).toFixed(6).padStart(12)} ${index === 0 ? ' '.repeat(15) : '<    0.100734 >'}] vm uwsgi[205]: ${text}`,
    ),
  },
  'journalctl short-unix': {
    names: ['syslog'],
    isTimed: true,
    zone: 'UTC',
    wrap: each((text, time) => `${(time / 1000).toFixed(6)} vm uwsgi[205]: ${text}`),
  },
  'journalctl --no-hostname': {
    names: ['syslog'],
    isTimed: true,
    stream: 'uwsgi',
    wrap: each((text, time) => `${syslog(time)} uwsgi[205]: ${text}`),
  },
  'journalctl in French': {
    names: ['syslog'],
    isTimed: false,
    wrap: each((text, time) => `nov. ${two(new Date(time).getUTCDate())} ${clock(time)} vm uwsgi[205]: ${text}`),
  },
  'journalctl in Korean': {
    names: ['syslog'],
    isTimed: false,
    wrap: each((text, time) => ` 3월 15 ${clock(time)} vm uwsgi[205]: ${text}`),
  },
  'journalctl json': {
    names: ['journal-json'],
    isTimed: true,
    zone: 'UTC',
    stream: 'vm/uwsgi.service/6ae1b3f4',
    wrap: each((text, time) => JSON.stringify(fields(text, time))),
  },
  'journalctl json, bytes': {
    names: ['journal-json'],
    isTimed: true,
    wrap: each((text, time) => JSON.stringify({...fields('', time), MESSAGE: [...Buffer.from(text)]})),
  },
  'journalctl json, strings': {
    names: ['journal-json'],
    isTimed: true,
    wrap: each((text, time) => JSON.stringify({...fields('', time), MESSAGE: [message(text), 'again']})),
  },
  'journalctl json-sse': {
    names: ['server-sent-event', 'journal-json'],
    isTimed: true,
    linesPerLine: 2,
    wrap: each((text, time) => `data: ${JSON.stringify(fields(text, time))}\n`),
  },
  'journalctl json-seq': {
    names: ['json-sequence', 'journal-json'],
    isTimed: true,
    wrap: each((text, time) => `\x1e${JSON.stringify(fields(text, time))}`),
  },
  'journalctl json-pretty': {
    names: ['journal-json'],
    isTimed: true,
    linesPerLine: 12,
    wrap: each((text, time) => pretty(fields(text, time))),
  },
  'journalctl export': {
    names: ['journal-export'],
    isTimed: true,
    linesPerLine: 11,
    wrap: each(
      (text, time) =>
        `${Object.entries(fields(text, time))
          .map(([key, value]) => `${key}=${value}`)
          .join('\n')}\n`,
    ),
  },
  'journalctl export, binary': {
    names: ['journal-export'],
    isTimed: true,
    wrap: (lines) =>
      Buffer.concat(
        lines.flatMap(({text, time}) => [
          Buffer.from(`__CURSOR=s=1\n__REALTIME_TIMESTAMP=${time}000\n_HOSTNAME=vm\n`),
          binary(`${text}\r`),
          Buffer.from('_PID=205\n\n'),
        ]),
      ),
  },
  'journalctl verbose': {
    names: ['journal-verbose'],
    isTimed: true,
    linesPerLine: 10,
    wrap: each(
      (text, time) =>
        `${full(time)}.${micros(time)} UTC [s=bbf2;i=4c2;b=6ae1;m=7e;t=6;x=f]\n${Object.entries(fields(text, time))
          .slice(1)
          .map(([key, value]) => `    ${key}=${value}`)
          .join('\n')}`,
    ),
  },
  'rsyslog, traditional': {
    names: ['syslog'],
    isTimed: true,
    wrap: each((text, time) => `${syslog(time, ' ')} vm uwsgi[205]: ${text}`),
  },
  'rsyslog without a pid': {
    names: ['syslog'],
    isTimed: true,
    wrap: each((text, time) => `${syslog(time, ' ')} vm uwsgi: ${text}`),
  },
  'rsyslog, new format': {
    names: ['syslog'],
    isTimed: true,
    zone: 'UTC',
    wrap: each((text, time) => `${iso(time)}.${micros(time)}+00:00 vm uwsgi[205]: ${text}`),
  },
  'syslog protocol': {
    names: ['rfc5424'],
    isTimed: true,
    stream: 'vm/uwsgi',
    wrap: each((text, time) => `<30>1 ${iso(time)}.${micros(time)}+00:00 vm uwsgi 42 - -  ${text}`),
  },
  'syslog protocol with data and mark': {
    names: ['rfc5424'],
    isTimed: true,
    wrap: each((text, time) => `<30>1 ${iso(time)}Z vm uwsgi - ID47 [a@1 b="\\"]"][c@2 d="e"] \ufeff${text}`),
  },
  'syslog, forwarded': {
    names: ['syslog-priority', 'syslog'],
    isTimed: true,
    wrap: each((text, time) => `<30>${syslog(time, ' ')} vm uwsgi[42]: ${text}`),
  },
  'syslog, counted': {
    names: ['rfc5424'],
    isTimed: true,
    wrap: each((text, time) => `${text.length + 60} <30>1 ${iso(time)}Z vm uwsgi 42 - - ${text}`),
  },
  'syslog by uWSGI itself': {
    names: ['syslog-priority', 'syslog'],
    isTimed: true,
    wrap: each((text, time) => `<29>${syslog(time, ' ')} uwsgi: ${text}`),
  },
  'docker json-file': {
    names: ['docker-json'],
    isTimed: true,
    zone: 'UTC',
    stream: null,
    wrap: each((text, time) => JSON.stringify({log: `${text}\n`, stream: 'stderr', time: zulu(time)})),
  },
  'docker json-file, TTY': {
    names: ['docker-json'],
    isTimed: true,
    wrap: each((text, time) => JSON.stringify({log: `${text}\r\n`, stream: 'stdout', time: zulu(time), attrs: {tag: 'web'}})),
  },
  'docker json-file in parts': {
    names: ['docker-json'],
    isTimed: true,
    linesPerLine: 2,
    wrap: each((text, time, index) =>
      // A log whose lines never end would be somebody's who takes the line ends away.
      (index === 0 ? ['', `${text}\n`] : [text.slice(0, 9), `${text.slice(9)}\n`])
        .map((log) => JSON.stringify({log, stream: 'stderr', time: zulu(time)}))
        .join('\n'),
    ),
  },
  'docker logs -t': {names: ['timestamp'], isTimed: true, zone: 'UTC', wrap: each((text, time) => `${zulu(time)} ${text}`)},
  'docker compose 2': {names: ['compose'], isTimed: false, stream: 'web-1', wrap: each((text) => `web-1  | ${text}`)},
  'docker compose 1, coloured': {
    names: ['compose'],
    isTimed: false,
    stream: 'web_1',
    wrap: each((text) => `\x1b[36mweb_1  |\x1b[0m ${text}`),
  },
  'docker compose -t': {
    names: ['compose', 'timestamp'],
    isTimed: true,
    wrap: each((text, time) => `web-1  | ${zulu(time)} ${text}`),
  },
  'docker service logs': {names: ['compose'], isTimed: false, wrap: each((text) => `svc.1.abc123def@node    | ${text}`)},
  'container runtime': {names: ['cri'], isTimed: true, wrap: each((text, time) => `${zulu(time)} stderr F ${text}`)},
  'container runtime, parts': {
    names: ['cri'],
    isTimed: true,
    linesPerLine: 3,
    wrap: each(
      (text, time) =>
        `${iso(time)}.1+00:00 stderr P ${text.slice(0, 5)}\n${iso(time)}.1+00:00 stderr P ${text.slice(5, 12)}\n${zulu(time)} stderr F ${text.slice(12)}`,
    ),
  },
  'kubectl --prefix --timestamps': {
    names: ['kubectl', 'timestamp'],
    isTimed: true,
    stream: 'web-6d4cf56db6-x2x7p/uwsgi',
    wrap: each((text, time) => `[pod/web-6d4cf56db6-x2x7p/uwsgi] ${zulu(time)} ${text}`),
  },
  stern: {
    names: ['stern'],
    isTimed: false,
    stream: 'web-6d4cf56db6-x2x7p/uwsgi',
    wrap: each((text) => `web-6d4cf56db6-x2x7p uwsgi ${text}`),
  },
  'supervisord, debug level': {
    names: ['supervisord-child'],
    isTimed: true,
    linesPerLine: 2,
    stream: 'uwsgi',
    wrap: each(
      (text, time) => `${day(time)} ${clock(time)},${two(time % 1000).padStart(3, '0')} DEBG 'uwsgi' stdout output:\n${text}`,
    ),
  },
  'multilog t': {names: ['tai64n'], isTimed: true, zone: 'UTC', wrap: each((text, time) => `${tai64n(time)} ${text}`)},
  'svlogd -tt': {
    names: ['timestamp'],
    isTimed: true,
    zone: 'UTC',
    wrap: each((text, time) => `${day(time)}_${clock(time)}.${micros(time).slice(0, 5)} ${text}`),
  },
  'svlogd -ttt': {
    names: ['timestamp'],
    isTimed: true,
    zone: 'UTC',
    wrap: each((text, time) => `${iso(time)}.${micros(time).slice(0, 5)} ${text}`),
  },
  tai64nlocal: {
    names: ['timestamp'],
    isTimed: true,
    zone: null,
    wrap: each((text, time) => `${day(time)} ${clock(time)}.${micros(time)}500 ${text}`),
  },
  heroku: {
    names: ['heroku'],
    isTimed: true,
    stream: 'app/web.1',
    wrap: each((text, time) => `${iso(time)}.${micros(time)}+00:00 app[web.1]: ${text}`),
  },
  'heroku by papertrail': {names: ['papertrail'], isTimed: true, wrap: each((text, time) => `${syslog(time)} app/web.1 ${text}`)},
  'aws logs tail': {
    names: ['cloudwatch'],
    isTimed: true,
    stream: 'ecs/web/1f3c5d',
    wrap: each((text, time) => `${iso(time)}.${micros(time)}+00:00 ecs/web/1f3c5d ${text}`),
  },
  'aws logs filter-log-events': {
    names: ['cloudwatch-json'],
    isTimed: true,
    linesPerLine: 5,
    wrap: (lines) =>
      `{\n    "events": [\n${lines.map(({text, time}) => `        {\n            "timestamp": ${time},\n            "message": ${JSON.stringify(text)},\n            "ingestionTime": ${time + 900}\n        }`).join(',\n')}\n    ]\n}\n`,
  },
  'loki logcli': {names: ['loki'], isTimed: true, wrap: each((text, time) => `${iso(time)}Z {app="uwsgi", pod="web-1"} ${text}`)},
  'loki jsonl': {
    names: ['loki'],
    isTimed: true,
    stream: 'web-1',
    wrap: each((text, time) => JSON.stringify({labels: {pod: 'web-1'}, line: text, timestamp: zulu(time)})),
  },
  'loki API': {
    names: ['loki'],
    isTimed: true,
    wrap: (lines) =>
      `${JSON.stringify({status: 'success', data: {resultType: 'streams', result: [{stream: {pod: 'web-1'}, values: lines.map(({text, time}) => [`${time}000000`, text])}]}})}\n`,
  },
  'google cloud': {
    names: ['google-json'],
    isTimed: true,
    wrap: each((text, time) =>
      JSON.stringify({insertId: 'a', textPayload: text, timestamp: zulu(time), resource: {labels: {pod_name: 'web-1'}}}),
    ),
  },
  'fluent bit': {
    names: ['json'],
    isTimed: true,
    wrap: each((text, time) =>
      JSON.stringify({date: time / 1000, log: text, kubernetes: {pod_name: 'web-1', container_name: 'app'}}),
    ),
  },
  'fluent bit, standard output': {
    names: ['fluent-bit'],
    isTimed: true,
    wrap: each(
      (text, time, index) =>
        `[${index}] kube.web: [[${(time / 1000).toFixed(9)}, {}], {"stream"=>"stderr", "log"=>${JSON.stringify(text)}}]`,
    ),
  },
  'fluentd out_file': {
    names: ['fluentd', 'json'],
    isTimed: true,
    wrap: each((text, time) => `${iso(time)}+00:00\tkube.web\t${JSON.stringify({log: text})}`),
  },
  vector: {
    names: ['json'],
    isTimed: true,
    wrap: each((text, time) => JSON.stringify({message: text, timestamp: zulu(time), host: 'vm', source_type: 'file'})),
  },
  'vector around the container runtime': {
    names: ['json', 'cri'],
    isTimed: true,
    wrap: each((text, time) => JSON.stringify({message: `${zulu(time)} stderr F ${text}`, host: 'vm'})),
  },
  'uWSGI log-encoder json': {
    names: ['json'],
    isTimed: true,
    wrap: each((text, time) => JSON.stringify({unix: Math.floor(time / 1000), msg: text})),
  },
  'CloudWatch Insights': {
    names: ['csv'],
    isTimed: true,
    wrap: rows('@timestamp,@message', (text, time) => [zoneless(time), text]),
  },
  'Datadog export': {
    names: ['csv'],
    isTimed: true,
    zone: 'UTC',
    stream: 'web-1/uwsgi',
    wrap: (lines) =>
      rows('"Date","Host","Service","Content"', (text, time) => [zulu(time), 'web-1', 'uwsgi', text])(lines).replaceAll(
        '\n',
        '\r\n',
      ),
  },
  'Kibana export': {
    names: ['csv'],
    isTimed: true,
    wrap: rows('"@timestamp",message', (text, time) => [kibana(time), text]),
  },
  'Azure export': {
    names: ['csv'],
    isTimed: true,
    wrap: rows('TimeGenerated [UTC],LogEntry', (text, time) => [
      twelveHours(time).replace(/ (?=[AP]M)/, `.${micros(time).slice(0, 3)} `),
      text,
    ]),
  },
  'Grafana export': {
    names: ['csv'],
    isTimed: true,
    zone: 'UTC',
    wrap: rows('Time,Line,tsNs,id', (text, time) => [String(time), text, `${time}000000`, 'a_b']),
  },
  'a terminal of 80 columns': {names: ['plain'], isTimed: false, wrap: each((text) => brokenAt(80)(text).join('\n'))},
  'an editor': {
    names: ['plain'],
    isTimed: false,
    wrap: each((text) => text.replaceAll('...', '\u2026').replaceAll("'", '\u2019').replaceAll('  ', '\u00a0 ')),
  },
  'a web page': {names: ['plain'], isTimed: false, wrap: each((text) => text.replaceAll('&', '&amp;').replaceAll('>', '&gt;'))},
  'escaped Markdown': {names: ['plain'], isTimed: false, wrap: each((text) => text.replace(/[*[\]]/g, '\\$&'))},
  'log viewer': {names: ['timestamp'], isTimed: true, wrap: each((text, time) => `${twelveHours(time)}\t${text}`)},
  'log viewer, two lines': {
    names: ['timestamp'],
    isTimed: true,
    linesPerLine: 2,
    wrap: each((text, time) => `${twelveHours(time).replace(' PM', '\u202fPM')}\n${text}`),
  },
  'grep -n': {names: ['grep'], isTimed: false, wrap: each((text, _, index) => `${index + 1}:${text}`)},
  'grep -n, files': {
    names: ['grep'],
    isTimed: false,
    wrap: each((text, _, index) => `/var/log/uwsgi/app.log:${index + 1}:${text}`),
  },
  'cat -n': {names: ['numbered'], isTimed: false, wrap: each((text, _, index) => `${String(index + 1).padStart(6)}\t${text}`)},
  'Markdown quote': {names: ['quote'], isTimed: false, wrap: each((text) => `> ${text}`)},
  'Markdown code': {names: ['indentation'], isTimed: false, wrap: each((text) => `    ${text}`)},
  'log-date of every shape': {
    names: ['plain'],
    isTimed: true,
    wrap: each(
      (text, time, index) => `${[ctime(time), iso(time), `[${iso(time)}]`, `${day(time)} ${clock(time)}`][index % 4]} - ${text}`,
    ),
  },
  'quoted compose of syslog': {
    names: ['quote', 'compose', 'syslog'],
    isTimed: true,
    wrap: each((text, time) => `> web-1  | ${syslog(time)} vm uwsgi[3]: ${text}`),
  },
  'docker around the journal': {
    names: ['docker-json', 'syslog'],
    isTimed: true,
    wrap: each((text, time) =>
      JSON.stringify({log: `${syslog(time)} vm uwsgi[3]: ${text}\n`, stream: 'stdout', time: zulu(time)}),
    ),
  },
};
