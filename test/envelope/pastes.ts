import {clock, day, type Envelope, each, iso, micros, syslog, twelveHours, two, zulu} from './envelopes.ts';
import type {TimedLine} from './plain-run.ts';

const BARS = /\|/g;
const stamp = (time: number) => `${day(time)} ${clock(time)}`;
/** Between a heading and an end. */
const framed =
  (heading: string, put: (text: string, time: number, index: number) => string, end: string) => (lines: readonly TimedLine[]) =>
    `${heading}\n${each(put)(lines)}${end}\n`;
const html = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
const widest = (lines: readonly TimedLine[]) => Math.max(...lines.map(({text}) => text.length));
const json = (object: (text: string, time: number, index: number) => object) =>
  each((text, time, index) => JSON.stringify(object(text, time, index)));

/** What becomes of a log that is shown by a tool, copied, and pasted elsewhere; by name. */
export const pastes: Readonly<Record<string, Envelope>> = {
  // Tables
  'Markdown table': {
    names: ['frame', 'timestamp'],
    isTimed: true,
    wrap: framed('| Time | Message |\n|---|---|', (text, time) => `| ${stamp(time)} | ${text.replace(BARS, '\\|')} |`, ''),
  },
  'Markdown table of one column': {
    names: ['frame'],
    isTimed: false,
    wrap: framed('| log |\n| :--- |', (text) => `| ${text.replace(BARS, '\\|')} |`, ''),
  },
  'Markdown table with backquotes': {
    names: ['frame', 'timestamp'],
    isTimed: true,
    wrap: framed('| Time | Message |\n|:---:|---|', (text, time) => `| ${stamp(time)} | \`${text.replace(BARS, '\\|')}\` |`, ''),
  },
  psql: {
    names: ['indentation', 'timestamp'],
    isTimed: true,
    wrap: framed(
      '          at          |   line\n----------------------+------------',
      (text, time) => ` ${stamp(time)}  | ${text}   `,
      '(5 rows)',
    ),
  },
  'psql -x': {
    names: ['compose', 'timestamp'],
    isTimed: true,
    wrap: each((text, time, index) => `-[ RECORD ${index + 1} ]-----\nat   | ${stamp(time)}\nline | ${text}`),
  },
  mysql: {
    names: ['frame', 'timestamp'],
    isTimed: true,
    wrap: (lines) => {
      const width = widest(lines);
      const rule = `+---------------------+${'-'.repeat(width + 2)}+\n`;
      return `${rule}| ts                  | ${'message'.padEnd(width)} |\n${rule}${lines.map(({text, time}) => `| ${stamp(time)} | ${text.padEnd(width)} |\n`).join('')}${rule}${lines.length} rows in set (0.00 sec)\n`;
    },
  },
  'box drawing': {
    names: ['frame', 'timestamp'],
    isTimed: true,
    wrap: (lines) => {
      const width = widest(lines);
      const rule = (a: string, b: string, c: string) => `${a}${'─'.repeat(21)}${b}${'─'.repeat(width + 2)}${c}\n`;
      return `${rule('┌', '┬', '┐')}│ time                │ ${'message'.padEnd(width)} │\n${rule('├', '┼', '┤')}${lines.map(({text, time}) => `│ ${stamp(time)} │ ${text.padEnd(width)} │\n`).join('')}${rule('└', '┴', '┘')}`;
    },
  },
  // Terminals
  'web page, all escaped': {names: ['plain'], isTimed: false, wrap: each((text) => html(text))},
  'web page, compose': {names: ['compose'], isTimed: false, wrap: each((text) => html(`web-1  | ${text}`))},
  'cat -v': {names: ['plain'], isTimed: false, wrap: each((text) => `^[[32m${text}^[[0m^M`)},
  "Windows' old console": {names: ['plain'], isTimed: false, wrap: each((text) => `←[32m${text}←[0m`)},
  'cat -A': {names: ['plain'], isTimed: false, wrap: each((text) => `${text.replaceAll('\t', '^I')}$`)},
  'cat -A of CRLF': {names: ['plain'], isTimed: false, wrap: each((text) => `${text}^M$`)},
  'line ends of a web page': {names: ['plain'], isTimed: false, wrap: each((text) => `${text}<br />`)},
  'line ends of Markdown': {names: ['plain'], isTimed: false, wrap: each((text) => `${text}\\`)},
  'less without -R': {names: ['compose'], isTimed: false, wrap: each((text) => `ESC[36mweb-1  |ESC[0m ${text}`)},
  'colours without their escape character': {names: ['compose'], isTimed: false, wrap: each((text) => `[36mweb-1  |[0m ${text}`)},
  'colours, escaped': {names: ['compose'], isTimed: false, wrap: each((text) => `\\u001b[36mweb-1  |\\u001b[0m ${text}`)},
  'colours as a picture of their escape character': {names: ['plain'], isTimed: false, wrap: each((text) => `␛[32m${text}␛[0m`)},
  typescript: {
    names: ['plain'],
    isTimed: false,
    wrap: framed(
      'Script started on 2026-11-20 23:29:16+00:00',
      (text) => `\x1b]0;vm\x07x\b \b${text.slice(0, 5)}zz\b\b${text.slice(5)}\r`,
      'Script done on 2026-11-20',
    ),
  },
  'less -N': {names: ['numbered'], isTimed: false, wrap: each((text, _, index) => `${String(index + 1).padStart(7)} ${text}`)},
  'numbers and a bar': {
    names: ['numbered'],
    isTimed: false,
    wrap: each((text, _, index) => `${String(index + 1).padStart(4)} | ${text}`),
  },
  bat: {names: ['numbered'], isTimed: false, wrap: each((text, _, index) => `${String(index + 1).padStart(4)} │ ${text}`)},
  diff: {
    names: ['diff'],
    isTimed: false,
    wrap: framed(
      'diff --git a/x.log b/x.log\nnew file mode 100644\nindex 0000000..e69de29\n--- /dev/null\n+++ b/x.log\n@@ -0,0 +1,3 @@',
      (text) => `+${text}`,
      '',
    ),
  },
  'git grep': {names: ['grep'], isTimed: false, wrap: each((text, _, index) => `logs/uwsgi.log:${index + 1}:${text}`)},
  'git grep of a revision': {
    names: ['grep'],
    isTimed: false,
    wrap: each((text, _, index) => `HEAD:logs/uwsgi.log:${index + 1}:${text}`),
  },
  'tail of several files': {
    names: ['plain'],
    isTimed: false,
    wrap: framed('==> /var/log/uwsgi.log <==', (text) => text, '\n==> /var/log/other.log <==\nhello\n'),
  },
  CRLF: {names: ['plain'], isTimed: false, wrap: each((text) => `${text}\r`)},
  'UTF-8 with its mark': {names: ['plain'], isTimed: false, wrap: framed('\ufeff', (text) => text, '')},
  'blanks that do not break': {names: ['plain'], isTimed: false, wrap: each((text) => text.replaceAll(' ', '\u00a0'))},
  'characters without width': {
    names: ['plain'],
    isTimed: false,
    wrap: each((text) => `\u200b${text.slice(0, 12)}\u200b${text.slice(12)}\ufeff`),
  },
  'every line with a mark': {names: ['plain'], isTimed: false, wrap: each((text) => `\ufeff${text}`)},
  'soft hyphens': {names: ['plain'], isTimed: false, wrap: each((text) => `${text.slice(0, 9)}\u00ad${text.slice(9)}`)},
  // Chats
  Slack: {
    names: ['plain'],
    isTimed: false,
    wrap: each((text, _, index) => (index % 9 === 5 ? `10:32\nJane Doe  10:32 AM\n${text}` : text)),
  },
  'Slack, quoted': {
    names: ['quote'],
    isTimed: false,
    wrap: each((text, _, index) => (index % 9 === 5 ? `[10:32 AM] Jane Doe: look\n> ${text}` : `> ${text}`)),
  },
  Teams: {
    names: ['plain'],
    isTimed: false,
    wrap: each((text, _, index) => (index % 20 === 9 ? `[20/11 10:32] Doe, Jane\n${text}` : text)),
  },
  Jira: {
    names: ['plain'],
    isTimed: false,
    wrap: framed('{noformat:title=uwsgi.log|borderStyle=solid}', (text) => text, '{noformat}'),
  },
  'Jira table': {
    names: ['frame', 'timestamp'],
    isTimed: true,
    wrap: framed('||Time||Message||', (text, time) => `|${stamp(time)}|${text.replace(BARS, '\\|')}|`, ''),
  },
  // Forms and chats that take line ends away
  'the journal in one line': {
    names: ['syslog'],
    isTimed: true,
    wrap: (lines) => lines.map(({text, time}) => `${syslog(time)} vm uwsgi[205]: ${text.trim()}`).join(' '),
  },
  'the journal, three lines in each': {
    names: ['syslog'],
    isTimed: true,
    wrap: (lines) =>
      lines.map(({text, time}, index) => `${syslog(time)} vm uwsgi[205]: ${text.trim()}${index % 3 < 2 ? ' ' : '\n'}`).join(''),
  },
  // Platforms
  'docker compose, coloured': {
    names: ['compose'],
    isTimed: false,
    stream: 'web-1',
    wrap: each((text) => `\x1b[36mweb-1  | \x1b[0m${text}`),
  },
  'docker logs --details -t': {
    names: ['docker-details'],
    isTimed: true,
    wrap: each((text, time) => `${zulu(time)} com.docker.compose.service=web,env=prod ${text}`),
  },
  'kubectl --all-containers --prefix': {
    names: ['kubectl'],
    isTimed: false,
    wrap: each(
      (text, _, index) =>
        `[pod/web-6d4cf56db6-x2x7p/uwsgi] ${text}${index % 5 === 0 ? '\n[pod/web-6d4cf56db6-x2x7p/nginx] 10.0.0.1 - - "GET / HTTP/1.1" 200 5' : ''}`,
    ),
  },
  'stern, coloured, with times': {
    names: ['stern', 'timestamp'],
    isTimed: true,
    wrap: each((text, time) => `\x1b[32mweb-6d4cf56db6-x2x7p\x1b[0m \x1b[92muwsgi\x1b[0m ${zulu(time)} ${text}`),
  },
  kail: {names: ['kail'], isTimed: false, wrap: each((text) => `shop/web-6d4cf56db6-x2x7p[uwsgi]: ${text}`)},
  kubetail: {names: ['kubetail'], isTimed: false, wrap: each((text) => `[web-6d4cf56db6-x2x7p uwsgi] ${text}`)},
  Papertrail: {
    names: ['papertrail'],
    isTimed: true,
    wrap: each((text, time) => `${syslog(time)} [eks-rde-2/shop] F ${text}`),
  },
  'Papertrail, program': {
    names: ['syslog'],
    isTimed: true,
    wrap: each((text, time) => `${syslog(time)} web-1 app/uwsgi: ${text}`),
  },
  'systemd-nspawn console': {
    names: ['syslog'],
    isTimed: false,
    wrap: each((text) => `[  OK  ] Started app.\nuwsgi[205]: ${text}`),
  },
  'journalctl --utc short-iso without host': {
    names: ['syslog'],
    isTimed: true,
    wrap: each((text, time) => `${iso(time)}+00:00 uwsgi[205]: ${text}`),
  },
  'Cloud Foundry': {
    names: ['indentation', 'cloud-foundry'],
    isTimed: true,
    wrap: each((text, time) => `   ${iso(time)}.12+0000 [APP/PROC/WEB/0] OUT ${text}`),
  },
  'Fly.io': {names: ['fly'], isTimed: true, wrap: each((text, time) => `${iso(time)}Z app[148e272f] ams [info] ${text}`)},
  'gcloud app logs': {
    names: ['app-engine'],
    isTimed: true,
    wrap: each((text, time) => `${stamp(time)} default[20261121t141011]  ${text}`),
  },
  // Lists
  'list of strings': {
    names: ['plain'],
    isTimed: false,
    wrap: (lines) =>
      `${JSON.stringify(
        lines.map(({text}) => text.trim()),
        null,
        2,
      )}\n`,
  },
  'code of Markdown, line by line': {names: ['plain'], isTimed: false, wrap: each((text) => `\`${text}\``)},
  'mysql, rows below one another': {
    names: ['field'],
    isTimed: false,
    wrap: each(
      (text, time, index) => `${'*'.repeat(27)} ${index + 1}. row ${'*'.repeat(27)}\n     id: ${time}\nmessage: ${text}`,
    ),
  },
  // Exports
  'Splunk export': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({
      preview: false,
      offset: 0,
      result: {_raw: text, _time: `${iso(time)}.000+00:00`, host: 'vm', source: '/var/log/uwsgi.log'},
    })),
  },
  'Splunk, time and raw': {
    names: ['csv'],
    isTimed: true,
    wrap: framed('_time,host,_raw', (text, time) => `"${iso(time)}.000+0000",vm,"${text.replaceAll('"', '""')}"`, ''),
  },
  'Datadog API': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({
      id: 'AQ',
      type: 'log',
      attributes: {timestamp: zulu(time), host: 'i-0a', service: 'shop', status: 'info', message: text, tags: ['env:prod']},
    })),
  },
  'Datadog, one document': {
    names: ['json'],
    isTimed: true,
    wrap: (lines) =>
      JSON.stringify({
        data: lines.toReversed().map(({text, time}) => ({id: 'AQ', attributes: {timestamp: zulu(time), message: text}})),
      }),
  },
  'Elastic search': {
    names: ['json'],
    isTimed: true,
    wrap: (lines) =>
      JSON.stringify({
        took: 5,
        hits: {
          total: {value: 9},
          hits: lines.map(({text, time}) => ({
            _index: 'l',
            _source: {'@timestamp': zulu(time), message: text, host: {name: 'vm'}},
          })),
        },
      }),
  },
  'Elastic, fields': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({_index: 'l', fields: {'@timestamp': [zulu(time)], message: [text], 'host.name': ['vm']}})),
  },
  'ECS with event.original': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({'@timestamp': zulu(time), 'event.original': text, 'log.level': 'info'})),
  },
  'Elastic, nested': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({'@timestamp': zulu(time), event: {original: text, dataset: 'uwsgi'}})),
  },
  'Grafana Explore': {
    names: ['loki'],
    isTimed: true,
    wrap: (lines) =>
      JSON.stringify(
        lines.map(({text, time}) => ({line: text, timestamp: `${time}000000`, date: zulu(time), fields: {app: 'shop'}})),
        null,
        2,
      ),
  },
  'Grafana text': {
    names: ['timestamp'],
    isTimed: true,
    wrap: each((text, time) => `${iso(time)}.${micros(time).slice(0, 3)}Z\t${text}`),
  },
  'Google Cloud, jsonPayload': {
    names: ['google-json'],
    isTimed: true,
    wrap: json((text, time) => ({
      insertId: 'a',
      jsonPayload: {message: text, logger: 'x'},
      timestamp: zulu(time),
      severity: 'INFO',
    })),
  },
  'Google Cloud, one document': {
    names: ['google-json'],
    isTimed: true,
    wrap: (lines) =>
      JSON.stringify(
        lines.toReversed().map(({text, time}) => ({insertId: 'a', textPayload: text, timestamp: zulu(time)})),
        null,
        2,
      ),
  },
  'gcloud logging read': {
    names: ['google-json'],
    isTimed: true,
    wrap: each(
      (text, time) =>
        `---\ninsertId: a1b2\nlogName: projects/x/logs/stdout\nresource:\n  labels:\n    pod_name: web-1\n  type: k8s_container\ntextPayload: ${yaml(text)}\ntimestamp: '${zulu(time)}'`,
    ),
  },
  'Azure container log': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({TimeGenerated: zulu(time), Log_s: text, ContainerName_s: 'web', RevisionName_s: 'web--1'})),
  },
  'Azure ContainerLogV2': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({TimeGenerated: zulu(time), LogMessage: text, PodName: 'web-1', ContainerName: 'web'})),
  },
  'Azure container app stream': {names: ['json'], isTimed: true, wrap: json((text, time) => ({TimeStamp: iso(time), Log: text}))},
  'Azure log analytics': {
    names: ['json'],
    isTimed: true,
    wrap: (lines) =>
      JSON.stringify({
        tables: [
          {
            name: 'PrimaryResult',
            columns: [
              {name: 'TimeGenerated', type: 'datetime'},
              {name: 'LogEntry', type: 'string'},
            ],
            rows: lines.map(({text, time}) => [zulu(time), text]),
          },
        ],
      }),
  },
  'CloudWatch Insights JSON': {
    names: ['cloudwatch-json'],
    isTimed: true,
    wrap: (lines) =>
      JSON.stringify(
        {
          results: lines.toReversed().map(({text, time}) => [
            {field: '@timestamp', value: `${day(time)} ${clock(time)}.${micros(time).slice(0, 3)}`},
            {field: '@message', value: text},
            {field: '@ptr', value: 'x'},
          ]),
        },
        null,
        4,
      ),
  },
  'CloudWatch subscription': {
    names: ['json'],
    isTimed: true,
    wrap: (lines) =>
      JSON.stringify({
        messageType: 'DATA_MESSAGE',
        owner: '1',
        logGroup: 'g',
        logStream: 's',
        logEvents: lines.map(({text, time}) => ({id: '1', timestamp: time, message: text})),
      }),
  },
  awslogs: {names: ['awslogs'], isTimed: false, wrap: each((text) => `/ecs/shop ecs/web/1f3c5d ${text}`)},
  GELF: {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({
      version: '1.1',
      host: 'vm',
      short_message: text,
      timestamp: time / 1000,
      _container_name: 'web',
    })),
  },
  'New Relic': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({timestamp: time, message: text, entity: {name: 'x'}})),
  },
  Logtail: {names: ['json'], isTimed: true, wrap: json((text, time) => ({dt: zulu(time), message: text, level: 'info'}))},
  'OpenTelemetry file exporter': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({
      resourceLogs: [
        {
          resource: {attributes: [{key: 'host.name', value: {stringValue: 'vm'}}]},
          scopeLogs: [{scope: {}, logRecords: [{timeUnixNano: `${time}000000`, body: {stringValue: text}}]}],
        },
      ],
    })),
  },
  'OpenTelemetry, flat': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({Timestamp: zulu(time), Body: text, SeverityText: 'INFO'})),
  },
  'podman journald in json-file': {
    names: ['docker-json'],
    isTimed: true,
    wrap: json((text, time) => ({log: `${text}\n`, stream: 'stderr', time: zulu(time)})),
  },
  'bunyan and pino': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({level: 30, time, pid: 5, hostname: 'vm', msg: text})),
  },
  structlog: {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({event: text, timestamp: `${iso(time)}.123456Z`, level: 'info', logger: 'gunicorn.error'})),
  },
  'python-json-logger': {
    names: ['json'],
    isTimed: true,
    wrap: json((text, time) => ({
      asctime: `${day(time)} ${clock(time)},123`,
      levelname: 'INFO',
      name: 'gunicorn.error',
      message: text,
    })),
  },
  'twelve hours': {names: ['timestamp'], isTimed: true, wrap: each((text, time) => `${twelveHours(time)} ${text}`)},
  'capital keys': {names: ['json'], isTimed: true, wrap: json((text, time) => ({Time: zulu(time), Message: text}))},
  logfmt: {
    names: ['logfmt'],
    isTimed: true,
    wrap: each((text, time) => `time="${zulu(time)}" level=info msg=${JSON.stringify(text)}`),
  },
  'a month in words': {
    names: ['timestamp'],
    isTimed: true,
    wrap: each((text, time) => `${two(new Date(time).getUTCDate())}-Nov-2026 ${clock(time)} ${text}`),
  },
};

function yaml(text: string): string {
  return /^[\w(][^:#]*$/.test(text) && text.trim() === text ? text : `'${text.replaceAll("'", "''")}'`;
}
