import {compareJson} from './json.ts';
import {compareMarkdown} from './markdown.ts';
import type {CompareReporter} from './reporter.ts';
import {compareText} from './text.ts';

/** Every way to write down a comparison, the default first. */
export const compareReporters: readonly CompareReporter[] = [compareText, compareJson, compareMarkdown];
