// What the application prints between the lines of its server.

const MODULES = ['shop.cart', 'shop.orders', 'shop.payments', 'shop.search', 'celery.worker', 'django.request', 'urllib3.pool'];
const LEVELS = ['DEBUG', 'INFO', 'INFO', 'INFO', 'WARNING', 'ERROR'];
const SENTENCES = [
  'order 81233 was paid in 2 parts',
  'cache miss for key cart:%d, rebuilding',
  'retrying in 5 seconds: connection reset by peer',
  'slow query (1312 ms): SELECT id, name FROM products WHERE shelf = 12',
  'Zahlungsart „Überweisung“ gewählt',
  'sent 3 mails to the warehouse',
  'worker of the queue is 12 items behind',
  'user 5512 has no address, falling back to the default',
  'rate limit reached for 10.3.2.1',
];
const FRAMES = [
  ['/srv/shop/app.py', 'application', 'return handle(environ, start_response)'],
  ['/srv/shop/views/orders.py', 'detail', 'order = Order.load(order_id)'],
  ['/srv/shop/models/order.py', 'load', 'row = connection.one(QUERY, order_id)'],
  ['/usr/lib/python3/dist-packages/sqlalchemy/engine/base.py', 'execute', 'return meth(self, multiparams, params)'],
  ['/usr/lib/python3/dist-packages/psycopg2/extras.py', 'execute', 'return super().execute(query, vars)'],
];
const ERRORS = [
  "KeyError: 'address'",
  'psycopg2.OperationalError: server closed the connection unexpectedly',
  'TimeoutError: timed out',
  "ValueError: invalid literal for int() with base 10: ''",
];

/**
 * One outburst: a record of a logger, a bare print, or a traceback.
 *
 * @param {import('./random.mjs').Random} random
 * @param {string} stamp as `2026-11-20 23:21:10`
 * @returns {string[]}
 */
export function outburst(random, stamp) {
  const kind = random.below(10);
  if (kind < 5)
    return [`${stamp},${100 + random.below(900)} ${random.pick(LEVELS)} ${random.pick(MODULES)} ${random.pick(SENTENCES)}`];
  if (kind < 8) return [random.pick(SENTENCES)];
  return traceback(random);
}

function traceback(random) {
  const frames = FRAMES.slice(0, 2 + random.below(FRAMES.length - 1));
  return [
    'Traceback (most recent call last):',
    ...frames.flatMap(([file, name, code]) => [`  File "${file}", line ${10 + random.below(400)}, in ${name}`, `    ${code}`]),
    random.pick(ERRORS),
  ];
}
