/** Workers that never took note of being asked to leave: most were loading the application. */

import {precedes} from '../timeline/lookup.ts';
import type {Instance, Process, Reload} from '../timeline/timeline.ts';
import type {Judgement} from './judgement.ts';
import {proof} from './wording.ts';

/**
 * A worker that takes note says so, and stops serving: the master then calls it "killed successfully" in a chain, and
 * "died" if it still served.
 */
export function isDeaf(process: Process, {kind, headless}: Reload, othersAcknowledged: boolean): boolean {
  const {asked, ended} = process;
  if (!asked || asked.acknowledged || headless || ended?.meaning.ending === 'replaced') return false;
  if (isLoadedAfter(process)) return true;
  return othersAcknowledged || ((kind === 'chain' || kind === 'workers') && ended?.meaning.ending === 'died');
}

export function judgedDeaf(process: Process): Judgement {
  const importing = isLoadedAfter(process) ? process.appLoaded : null;
  const answer = (process.asked?.requestsAfter ?? 0) > 0 ? process.segments.at(-1)?.last : undefined;
  return importing
    ? {
        verdict: 'deaf',
        proved: true,
        because: 'It was still loading the application when it was asked to leave, and never took note of it',
        shown: [proof(importing, 'the application became ready only after the worker had been asked to leave')],
      }
    : {
        verdict: 'deaf',
        proved: true,
        because: `It never took note of being asked to leave${answer ? ': it went on answering requests' : ''}`,
        shown: [],
      };
}

export const LOADING: Judgement = {
  verdict: 'deaf',
  proved: false,
  because: 'No line of this log says that an application was loaded: it may have been loading it still',
  shown: [],
};

/** It was loading the application when it was asked: Python breaks off the import at most, and the worker goes on (end_me, SIGINT). */
export function isLoadedAfter({asked, appLoaded}: Process): boolean {
  return asked !== null && appLoaded !== null && precedes(asked.event, appLoaded);
}

/** Its start is in the log, it has answered nothing, and neither it nor its master has said that an application is ready. */
export function mayBeLoading({started, appLoaded, segments}: Process, {epochs}: Instance): boolean {
  if (started === null || appLoaded !== null || segments.length > 0) return false;
  const epoch = epochs.findLast(({master}) => master !== null && precedes(master, started));
  return epoch !== undefined && epoch.banner !== null && epoch.appLoads.length === 0;
}
