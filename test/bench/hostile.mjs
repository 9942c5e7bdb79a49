import {banner} from './banner.mjs';
import {randomFrom} from './random.mjs';

// How messages begin, some of them up to the last words.
const BEGINNINGS = [
  'worker 7 killed successfully (pid: ',
  'worker 3 (pid: 4711) is taking too much time to ',
  'Respawned uWSGI worker 4 (new pid 4711) ',
  'spawned uWSGI worker 3 (pid: 77, ',
  'Gracefully killing worker 2 (pid: 99) ',
  '*** HARAKIRI ON WORKER 4 (pid: 17, ',
  'DAMN ! worker 4 (pid: 1) died, ',
  'chain next victim is ',
  '...The work of process 12 is nearly ',
  'Fri Nov 20 23:21:10 2026 - worker 1 (pid: 12842) is taking too much ',
  'Fri Nov 20 23:21:10 2026 - chain is still waiting ',
  'worker 12 buried after a while: ',
  '[pid: 17|app: 0|req: 9/55] 10.0.0.1 () {28 vars in 312 bytes} [Fri Nov 20 23:21:10 2026] GET /a => generated 12 bytes in ',
  '[pid: 17|app: 0|req: 9/55] 10.0.0.1 () {28 vars ',
  'your mercy for graceful operations on ',
  'WSGI app 0 (mountpoint=',
  'gracefully (RE)spawned uWSGI ',
  'SIGINT/SIGQUIT received ',
  'mapped 5334064 bytes ',
  '[uwsgi-daemons] ',
  '[spooler /srv/spool pid: 4711] ',
  '*** Starting uWSGI 2.0.21 (64bit) on ',
  'listen queue of socket ',
];
const WORDS = [
  'and',
  'then',
  'the',
  'shelf',
  'was',
  'empty',
  'order',
  '81233',
  'for',
  'customer',
  'paid:',
  'yes',
  '(again)',
  '=>',
  'waiting',
  '[retry',
  '2]',
  'socks',
  'wool',
  'at',
  '12.50',
  'EUR',
];
const VARIETY = 2048;

/**
 * Lines of a log whose every line, after one honest start, begins like a message of the server and is none.
 *
 * @param {number} seed
 * @param {import('./server.mjs').Sink} sink
 * @param {boolean} isUnlike no line comes twice; otherwise there are so many, again and again, as a program has statements that print
 * @returns {{step: () => void}}
 */
export function hostileServer(seed, sink, isUnlike) {
  const random = randomFrom(seed ^ 0x5eed);
  const now = Date.UTC(2026, 10, 20, 23, 0, 0);
  const stamp = 'Fri Nov 20 23:00:00 2026';
  for (const line of banner({stamp, isReload: false, masterPid: 4093, cores: 1, mercy: 60})) sink.lifecycle(line, now);
  sink.lifecycle('spawned uWSGI worker 1 (pid: 4100, cores: 1)', now);
  const lines = Array.from({length: VARIETY}, () => [random.pick(BEGINNINGS), words(random)]);
  let count = 0;
  const next = () => {
    const [beginning, rest] = random.pick(lines);
    return isUnlike ? `${beginning} ${++count}${rest}` : `${beginning}${rest}`;
  };
  return {step: () => sink.application(next(), now)};
}

/** The rest of a line, so that lines are about as long as those of requests. */
function words(random) {
  const enough = 140 + random.below(120);
  let text = '';
  while (text.length < enough) text += ` ${random.pick(WORDS)}`;
  return text;
}
