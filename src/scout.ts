/** The thread beside the reading of a large file. */
import {workerData} from 'node:worker_threads';
import {requestScout} from './recorder/request-scout.ts';
import type {Errand} from './source/ahead.ts';
import {scout} from './source/scout.ts';

scout(workerData as Errand, requestScout());
