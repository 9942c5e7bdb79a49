import {application} from './application.ts';
import {celery} from './celery.ts';
import {daphne} from './daphne.ts';
import type {Format} from './format.ts';
import {gunicorn} from './gunicorn.ts';
import {heroku} from './heroku.ts';
import {hypercorn} from './hypercorn.ts';
import {kernel} from './kernel.ts';
import {phpFpm} from './php-fpm.ts';
import {puma} from './puma.ts';
import {supervisord} from './supervisord.ts';
import {systemd} from './systemd.ts';
import {unicorn} from './unicorn.ts';
import {uvicorn} from './uvicorn.ts';
import {uwsgi} from './uwsgi.ts';

/** All formats, tried in this order. */
export const formats: readonly Format[] = [
  uwsgi,
  gunicorn,
  supervisord,
  systemd,
  kernel,
  uvicorn,
  daphne,
  hypercorn,
  celery,
  puma,
  unicorn,
  phpFpm,
  heroku,
  application,
];
