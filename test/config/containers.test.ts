import {expect, test} from 'vitest';
import {analyze, type Diagnosis} from '../../src/analyze.ts';
import {readConfiguration} from '../../src/config/read.ts';
import {patch} from '../../src/report/patch.ts';
import {writer} from '../written.ts';

const written = writer();

const COMPOSE = `services:
  db:
    image: postgres:16
  web:
    build: .
    command: gunicorn --graceful-timeout 60 shop:app
    stop_grace_period: 1m30s  # more than docker's own
  mail:
    command: ["uwsgi", "--ini", "mail.ini"]
`;

const MANIFESTS = `apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 45
      containers:
        - name: web
          command: ["sh", "-c", "exec gunicorn --graceful-timeout 60 shop:app"]
        - name: proxy
          image: envoy
`;

function diffOf(diagnosis: Diagnosis): string {
  return patch.render(diagnosis, {width: 100, color: false, quiet: false, showRules: false});
}

const gunicorn = (front: string) => `${front}[2026-11-20 10:00:00 +0000] [1] [INFO] Starting gunicorn 20.1.0
${front}[2026-11-20 10:00:00 +0000] [1] [INFO] Listening at: http://127.0.0.1:8000 (1)
${front}[2026-11-20 10:00:00 +0000] [7] [INFO] Booting worker with pid: 7
`;

test('a compose file: a program for each service, its grace in seconds', async () => {
  const {programs} = await readConfiguration([written('docker-compose.yml', COMPOSE)]);
  expect(
    programs.map(({server, name, settings, runs}) => [server, name, settings.map((each) => each.value), runs?.server]),
  ).toEqual([
    ['compose', 'db', [], undefined],
    ['compose', 'web', [90], 'gunicorn'],
    ['compose', 'mail', [], 'uwsgi'],
  ]);
  expect(programs[1]?.settings[0]?.line).toBe(7);
});

test("Kubernetes' manifests: a program for each container of a pod, other resources left alone", async () => {
  const {programs} = await readConfiguration([written('deploy.yaml', MANIFESTS)]);
  expect(
    programs.map(({server, name, settings, runs}) => [server, name, settings[0]?.value, settings[0]?.line, runs?.server]),
  ).toEqual([
    ['kubernetes', 'web', 45, 12, 'gunicorn'],
    ['kubernetes', 'proxy', 45, 12, undefined],
  ]);
});

test.each([
  [
    'a time that is none',
    'services:\n  web:\n    stop_grace_period: soon\n',
    /bad\.yml:3: stop_grace_period: soon is no time; write seconds/,
  ],
  ['YAML that is none', 'services:\n  web: [\n', /bad\.yml:\d+: this is no valid YAML: .*; correct it/],
])('%s is named with its line', async (_, text, message) => {
  await expect(readConfiguration([written('bad.yml', text)])).rejects.toThrow(message);
});

test("uWSGI's own YAML is still uWSGI's", async () => {
  const {programs} = await readConfiguration([written('app.yaml', 'uwsgi:\n  master: true\nservices: {}\n')]);
  expect(programs.map(({server}) => server)).toEqual(['uwsgi']);
});

test.each([
  ['by the name that compose gives its lines', gunicorn('web-1  | ')],
  ['by the command that it runs', gunicorn('')],
])('the service is joined with its server %s', async (_, log) => {
  const compose = COMPOSE.replace('1m30s', '20s');
  const diagnosis = await analyze({inputs: [written('web.log', log)], configs: [written('docker-compose.yml', compose)]});
  expect(diagnosis.timeline.instances[0]?.configured.map(({server, section}) => `${server} ${section}`)).toEqual([
    'compose services.web',
  ]);
  expect(diagnosis.notes).toEqual(
    log.startsWith('web') ? [expect.objectContaining({text: expect.stringContaining('mail')})] : [expect.anything()],
  );
  expect(diagnosis.findings.map(({rule, severity}) => [rule, severity])).toEqual([['risky-setting', 'info']]);
  expect(diffOf(diagnosis)).toContain("+    stop_grace_period: 66s  # more than docker's own");
});

test('what compose grants by default is written beside the service that needs more', async () => {
  const compose = 'services:\n  web:\n    image: shop\n    restart: always\n';
  const uwsgi = `*** Starting uWSGI 2.0.21 (64bit) on [Fri Nov 20 10:00:00 2026] ***
your mercy for graceful operations on workers is 60 seconds
spawned uWSGI master process (pid: 1)
spawned uWSGI worker 1 (pid: 7, cores: 1)
`;
  const diagnosis = await analyze({inputs: [written('uwsgi.log', uwsgi)], configs: [written('compose.yaml', compose)]});
  expect(diagnosis.findings.map(({rule}) => rule)).toEqual(['risky-setting']);
  expect(diffOf(diagnosis)).toMatch(/^\+ {4}stop_grace_period: 66s$/m);
});

test('a container whose time is longer than all inside is no trouble', async () => {
  const log = written('web.log', gunicorn('web-1  | '));
  const diagnosis = await analyze({inputs: [log], configs: [written('docker-compose.yml', COMPOSE)]});
  expect(diagnosis.findings).toEqual([]);
});
