import {json} from './json.ts';
import type {Reporter} from './reporter.ts';
import {text} from './text.ts';

/** Every reporter, the default first. A new one is a file and a line here. */
export const reporters: readonly Reporter[] = [text, json];
