import {application} from './application.ts';
import type {Format} from './format.ts';
import {uwsgi} from './uwsgi.ts';

/** All formats, tried in this order. */
export const formats: readonly Format[] = [uwsgi, application];
