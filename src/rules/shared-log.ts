/** Servers that share a log which does not always prove whose a line is. */
import {oncePer} from '../timeline/once.ts';
import type {Timeline} from '../timeline/timeline.ts';
import type {Rule, RuleFinding} from './rule.ts';

/** Instances whose workers or reloads may be another's. */
const doubtfulIn = oncePer(({instances, reloads}: Timeline): ReadonlySet<string> => {
  const guessed = instances.filter(({unproved}) => unproved.length > 0).map(({id}) => id);
  const rivals = reloads.flatMap((reload) => (reload.rivals.length > 0 ? [reload.instance, ...reload.rivals] : []));
  return new Set([...guessed, ...rivals]);
});

/** What rests on whose workers they are is no more than likely where no line proves that. */
export function asFarAsOwned(finding: RuleFinding, {restsOnOwners}: Rule, timeline: Timeline): RuleFinding {
  const {instance, confidence, message, against} = finding;
  const isProved = !restsOnOwners || instance === null || !doubtfulIn(timeline).has(instance);
  if (confidence !== 'certain' || isProved) return finding;
  return {
    ...finding,
    confidence: 'likely',
    message: `${message} That all of these lines are of ${instance} is a guess: several servers share this log, and not every line tells whose it is.`,
    against: [
      ...against,
      {
        hypothesis: 'some of these lines are of another server in this log',
        because: `they fit ${instance}`,
        line: null,
        decides: 'a log of its own for each server, or log-prefix',
      },
    ],
  };
}
