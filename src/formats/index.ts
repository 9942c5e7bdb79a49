export {envelopeNames, PLAIN} from '../envelope/names.ts';

import {apache} from './apache.ts';
import {application} from './application.ts';
import {celery} from './celery.ts';
import {container} from './container.ts';
import {daphne} from './daphne.ts';
import type {Format} from './format.ts';
import {gunicorn} from './gunicorn.ts';
import {heroku} from './heroku.ts';
import {hosting} from './hosting.ts';
import {hypercorn} from './hypercorn.ts';
import {kernel} from './kernel.ts';
import {kubernetes} from './kubernetes.ts';
import {CUSTOM_REQUEST, type LogFormat} from './log-format.ts';
import {nginx} from './nginx.ts';
import {nginxUnit} from './nginx-unit.ts';
import {phpFpm} from './php-fpm.ts';
import {procfile} from './procfile.ts';
import {ps} from './ps.ts';
import {puma} from './puma.ts';
import {record} from './record.ts';
import {supervisord} from './supervisord.ts';
import {systemctl} from './systemctl.ts';
import {systemd} from './systemd.ts';
import {unicorn} from './unicorn.ts';
import {uvicorn} from './uvicorn.ts';
import {uwsgi} from './uwsgi.ts';
import {waitress} from './waitress.ts';

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
  hosting,
  container,
  procfile,
  kubernetes,
  nginx,
  nginxUnit,
  apache,
  waitress,
  systemctl,
  ps,
  application,
  record,
];

/** The place of a format in the list of all: what it is known by to the build, whichever are read. */
export function numberOf({id}: Format): number {
  return formats.findIndex((format) => format.id === id);
}

/** Names of the supervisors, as `--supervisor` takes them. */
export const supervisorNames: readonly string[] = formats.filter(({isApplication}) => !isApplication).map(({id}) => id);

export interface FormatChoice {
  /** Names of supervisors; absent: all. What the application writes is read in any case. */
  readonly supervisors?: readonly string[] | undefined;
  /** What uWSGI's request lines look like; absent: as uWSGI writes them by itself. */
  readonly logFormat?: LogFormat | undefined;
}

/** The formats to be read. Words that are otherwise too ordinary are believed from a supervisor that was named. */
export function chosenFormats({supervisors, logFormat}: FormatChoice): readonly Format[] {
  const chosen =
    supervisors === undefined
      ? formats
      : formats
          .filter(({id, isApplication}) => isApplication || supervisors.includes(id))
          .map(({needsOrigin, ...format}) => format);
  if (logFormat === undefined) return chosen;
  return chosen.map((format) =>
    format.id === uwsgi.id
      ? {...format, requests: [CUSTOM_REQUEST], rules: {text: logFormat.rules, instead: format.requests}}
      : format,
  );
}
