// A uWSGI server of 16 workers with 4 threads each, as its log shows it.
import {banner} from './banner.mjs';
import {Stamps} from './clock.mjs';
import {outburst} from './noise.mjs';
import {randomFrom} from './random.mjs';

const WORKERS = 16;
const THREADS = 4;
const URIS = 3000;
const MAX_REQUESTS = 5000;
const MERCY = 60;
/** With outbursts of about 2.7 lines this makes 2 % of all lines the application's. */
const OUTBURST = 0.0076;
const TABLE = 4096;
/** Seconds from one to the next, on average. */
const EVERY = {chainReload: 500, fullReload: 1300, harakiri: 70, burst: 25};
const BEGIN = Date.UTC(2026, 10, 20, 6, 0, 0);

/**
 * @typedef {object} Worker
 * @property {number} id
 * @property {number} pid
 * @property {number} requests
 * @property {number} limit
 * @property {boolean} isUp
 */

/**
 * @typedef {object} Sink Where lines go, without their line ends.
 * @property {(line: string, now: number) => void} request
 * @property {(line: string, now: number) => void} lifecycle
 * @property {(line: string, now: number) => void} application
 */

/** Advances by one line, or one outburst, at a time. */
export class Server {
  /** @param {number} seed @param {Sink} sink */
  constructor(seed, sink) {
    this.random = randomFrom(seed);
    this.sink = sink;
    this.stamps = new Stamps();
    this.now = BEGIN;
    this.rate = 350;
    this.total = 0;
    this.nextPid = 4100;
    this.masterPid = 4093;
    this.isReloading = false;
    /** @type {{at: number, run: () => void}[]} */
    this.plan = [];
    this.due = Number.POSITIVE_INFINITY;
    /** @type {Worker[]} */
    this.workers = Array.from({length: WORKERS}, (_, at) => ({
      id: at + 1,
      pid: 0,
      requests: 0,
      limit: MAX_REQUESTS,
      isUp: false,
    }));
    this.coreFreeAt = new Float64Array(WORKERS * THREADS).fill(BEGIN);
    this.requestTexts = requestTexts(this.random);
    this.addresses = Array.from(
      {length: 512},
      () => `10.${this.random.below(4)}.${this.random.below(256)}.${1 + this.random.below(254)}`,
    );
    this.durations = table(() => Math.round(this.random.logNormal(38, 1.1)));
    this.sizes = table(() => Math.round(this.random.logNormal(4200, 1.4)));
    this.statuses = table(() => status(this.random.unit()));
    this.start(false);
    this.repeat(EVERY.burst, () => {
      this.rate = 120 + this.random.below(700);
    });
    this.repeat(EVERY.harakiri, () => this.harakiri());
    this.repeat(EVERY.chainReload, () => this.chainReload());
    this.repeat(EVERY.fullReload, () => this.fullReload());
  }

  step() {
    this.now += this.random.gap(1000 / this.rate);
    while (this.now >= this.due) this.runNext();
    if (this.random.hit(OUTBURST)) this.applicationWrites();
    else this.request();
  }

  // What the log is full of.

  request() {
    const bits = this.random.bits();
    const core = this.findCore(bits & 63);
    if (core < 0) return;
    const worker = this.workers[core >> 2];
    const row = (bits >>> 6) & (TABLE - 1);
    const begun = Math.max(this.coreFreeAt[core], this.now - this.durations[row]);
    this.coreFreeAt[core] = this.now;
    const chance = this.random.bits();
    const size = this.sizes[chance & (TABLE - 1)];
    const share = (chance >>> 12) / 0x10_0000;
    const text = this.requestTexts[Math.floor(URIS * share * share)];
    const code = this.statuses[bits >>> 20];
    worker.requests++;
    this.total++;
    this.sink.request(
      `[pid: ${worker.pid}|app: 0|req: ${worker.requests}/${this.total}] ${this.addresses[chance & 511]} () {${40 + (bits & 15)} vars in ${
        700 + (bits & 511)
      } bytes} [${this.stamps.ctime(begun)}] ${text} => generated ${size} bytes in ${Math.round(
        this.now - begun,
      )} msecs (HTTP/1.1 ${code}) ${4 + (bits & 7)} headers in ${180 + (chance & 255)} bytes (1 switches on core ${core & 3})`,
      this.now,
    );
    if (worker.requests >= worker.limit && !this.isReloading) this.recycle(worker);
  }

  /** The core itself, or the next one whose worker lives. */
  findCore(core) {
    for (let tries = 0; tries < WORKERS; tries++) {
      if (this.workers[core >> 2].isUp) return core;
      core = (core + THREADS) % (WORKERS * THREADS);
    }
    return -1;
  }

  applicationWrites() {
    for (const line of outburst(this.random, this.stamps.iso(this.now))) this.sink.application(line, this.now);
  }

  // What happens now and then.

  start(isReload) {
    const stamp = this.stamps.ctime(this.now);
    for (const line of banner({stamp, isReload, masterPid: this.masterPid, cores: WORKERS * THREADS, mercy: MERCY}))
      this.write(line);
    this.total = 0;
    for (const worker of this.workers) {
      this.spawn(worker);
      this.write(`spawned uWSGI worker ${worker.id} (pid: ${worker.pid}, cores: ${THREADS})`);
    }
  }

  recycle(worker) {
    this.write(`...The work of process ${worker.pid} is done. Seeya!`);
    worker.isUp = false;
    this.after(0.4 + this.random.unit(), () => this.replace(worker));
  }

  harakiri() {
    const worker = this.workers[this.random.below(WORKERS)];
    if (!worker.isUp || this.isReloading) return;
    worker.isUp = false;
    const since = Math.floor(this.now / 1000) - 30;
    this.writeStamped(`*** HARAKIRI ON WORKER ${worker.id} (pid: ${worker.pid}, try: 1) ***`);
    this.writeStamped(`HARAKIRI !!! worker ${worker.id} status !!!`);
    this.writeStamped(`HARAKIRI [core 1] ${this.addresses[worker.id]} - ${this.requestTexts[worker.id]} since ${since}`);
    this.writeStamped(`HARAKIRI !!! end of worker ${worker.id} status !!!`);
    this.after(0.2, () => {
      this.write(`DAMN ! worker ${worker.id} (pid: ${worker.pid}) died, killed by signal 9 :( trying respawn ...`);
      this.respawn(worker);
    });
  }

  chainReload() {
    if (this.isReloading) return;
    this.isReloading = true;
    this.writeStamped('*** /srv/shop/reload.txt has been touched... chain reload !!! ***');
    this.chainNext(0);
  }

  chainNext(at) {
    const worker = this.workers[at];
    if (worker === undefined) {
      this.writeStamped('chain reloading complete');
      this.isReloading = false;
      return;
    }
    if (!worker.isUp) {
      this.after(0.5, () => this.chainNext(at));
      return;
    }
    this.writeStamped(`chain next victim is worker ${worker.id}`);
    this.write(`Gracefully killing worker ${worker.id} (pid: ${worker.pid})...`);
    const isHeld = this.random.hit(1 / 24);
    const finishes = isHeld ? 0 : this.random.unit() * 2;
    this.after(finishes, () => {
      worker.isUp = false;
    });
    if (isHeld) this.after(MERCY + 1, () => this.noMercy(worker));
    this.after(isHeld ? MERCY + 2 : finishes + 0.5, () => {
      this.replace(worker);
      this.after(1, () => this.writeStamped(`chain is still waiting for worker ${worker.id}...`));
      this.after(2, () => this.chainNext(at + 1));
    });
  }

  fullReload() {
    if (this.isReloading) return;
    this.isReloading = true;
    const held = this.workers.filter(({isUp}) => isUp && this.random.hit(1 / 12));
    this.write('...gracefully killing workers...');
    for (const worker of this.shuffled()) this.write(`Gracefully killing worker ${worker.id} (pid: ${worker.pid})...`);
    for (const worker of this.workers)
      this.after(this.random.unit() * 2, () => {
        worker.isUp = false;
      });
    for (const worker of held) this.after(MERCY + 1, () => this.noMercy(worker));
    this.after(held.length > 0 ? MERCY + 2 : 3, () => {
      for (const worker of this.workers) this.write(`worker ${worker.id} buried after ${held.includes(worker) ? 0 : 1} seconds`);
      for (const line of REEXECUTION) this.write(line);
      this.start(true);
      this.isReloading = false;
    });
  }

  noMercy(worker) {
    this.writeStamped(`worker ${worker.id} (pid: ${worker.pid}) is taking too much time to die...NO MERCY !!!`);
  }

  replace(worker) {
    this.write(`worker ${worker.id} killed successfully (pid: ${worker.pid})`);
    this.respawn(worker);
  }

  respawn(worker) {
    this.spawn(worker);
    this.write(`Respawned uWSGI worker ${worker.id} (new pid: ${worker.pid})`);
  }

  spawn(worker) {
    worker.pid = this.nextPid;
    this.nextPid += 1 + this.random.below(9);
    worker.requests = 0;
    worker.limit = MAX_REQUESTS + 97 * worker.id;
    worker.isUp = true;
    this.coreFreeAt.fill(this.now, (worker.id - 1) * THREADS, worker.id * THREADS);
  }

  shuffled() {
    const keyed = this.workers.map((worker) => ({worker, key: this.random.bits()}));
    return keyed.sort((a, b) => a.key - b.key).map(({worker}) => worker);
  }

  write(line) {
    this.sink.lifecycle(line, this.now);
  }

  writeStamped(line) {
    this.sink.lifecycle(`${this.stamps.ctime(this.now)} - ${line}`, this.now);
  }

  // Time.

  after(seconds, run) {
    this.plan.push({at: this.now + seconds * 1000, run});
    this.plan.sort((a, b) => a.at - b.at);
    this.due = this.plan[0].at;
  }

  repeat(seconds, run) {
    this.after(seconds * (0.5 + this.random.unit()), () => {
      run();
      this.repeat(seconds, run);
    });
  }

  runNext() {
    const {run} = this.plan.shift();
    this.due = this.plan[0]?.at ?? Number.POSITIVE_INFINITY;
    run();
  }
}

const REEXECUTION = [
  'binary reloading uWSGI...',
  'chdir() to /srv/shop',
  'closing all non-uwsgi socket fds > 2 (max_fd = 20000)...',
  'found fd 3 mapped to socket 0 (127.0.0.1:8000)',
  'running /usr/bin/uwsgi-core',
];

function table(value) {
  return Array.from({length: TABLE}, value);
}

function status(unit) {
  if (unit < 0.9) return 200;
  if (unit < 0.95) return 304;
  if (unit < 0.97) return 302;
  if (unit < 0.985) return 404;
  if (unit < 0.995) return 400;
  return unit < 0.998 ? 500 : 502;
}

/** Method and URI of each request that clients make, the frequent ones first. */
function requestTexts(random) {
  const areas = [
    'api/v2/orders',
    'api/v2/products',
    'api/v2/carts',
    'shop/shelf',
    'static/media',
    'account/invoices',
    'search',
    'healthz',
  ];
  const keys = ['page', 'per_page', 'sort', 'q', 'lang', 'fields', 'include', 'token'];
  const values = [
    '1',
    '25',
    '-created_at',
    'wool%20socks',
    'en',
    'id%2Cname%2Cprice',
    'customer',
    '8f14e45fceea167a5a36dedd4bea2543',
  ];
  return Array.from({length: URIS}, () => {
    const path = `/${random.pick(areas)}/${random.below(100_000)}`;
    const query = Array.from({length: random.below(4)}, () => `${random.pick(keys)}=${random.pick(values)}`).join('&');
    return `${random.hit(0.85) ? 'GET' : 'POST'} ${path}${query === '' ? '' : '?'}${query}`;
  });
}
