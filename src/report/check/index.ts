import {checkGithub} from './github.ts';
import {checkJson} from './json.ts';
import {checkJunit} from './junit.ts';
import {checkMarkdown} from './markdown.ts';
import type {CheckReporter} from './reporter.ts';
import {checkText} from './text.ts';

/** Every way to write down a check, the default first. */
export const checkReporters: readonly CheckReporter[] = [checkText, checkJson, checkMarkdown, checkJunit, checkGithub];
