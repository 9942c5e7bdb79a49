import {expect, test} from 'vitest';
import {analyze} from '../src/analyze.ts';
import {json} from '../src/report/json.ts';
import {text} from '../src/report/text.ts';

// `--engine ohm` must give the same report byte for byte.
const logs = [
  'samples/uwsgi/idle-workers-held-by-thread-prefork/uwsgi.log',
  'samples/uwsgi/chain-reload-slow/uwsgi.log',
  'samples/uwsgi/log-micros-and-memory-report/uwsgi.log',
  'samples/uwsgi/output-without-newline/uwsgi.log',
  'samples/uwsgi/harakiri/uwsgi.log',
  'samples/uwsgi/mules-and-spooler/uwsgi.log',
  'samples/reported/001-app-tasks.log',
  'samples/reported/002-gunicorn-hup-healthy.log',
  'samples/reported/003-max-requests-recycle-blocked.log',
];
const options = {width: 100, color: false, quiet: false, showRules: true};

test.each(logs)('%s', async (log) => {
  const [compiled, ohm] = await Promise.all([analyze({inputs: [log]}), analyze({inputs: [log], engine: 'ohm'})]);
  for (const reporter of [text, json]) expect(reporter.render(ohm, options)).toBe(reporter.render(compiled, options));
});
