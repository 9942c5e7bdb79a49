import {requestMatcher} from '../formats/uwsgi-requests.ts';
import type {Region} from '../source/blocks.ts';
import {FACTS, RequestFacts} from './request-facts.ts';

const LF = 10;
/** No request line is shorter. */
const SHORTEST = 96;

/** How many request lines a region of so many bytes can have. */
export function mostRequests(bytes: number): number {
  return Math.ceil(bytes / SHORTEST);
}

/** Finds the request lines that stand bare: see {@link RequestFacts} for what it leaves of each. */
export function requestScout(): (buffer: Buffer, region: Region, facts: Float64Array) => number {
  const matcher = requestMatcher;
  const reader = new RequestFacts(matcher);
  return (buffer, {start, end}, facts) => {
    matcher.bind(buffer);
    reader.bind(buffer);
    let count = 0;
    for (let at = start; at < end; ) {
      let from = at;
      if (matcher.match(at) >= 0) {
        if (count === facts.length / FACTS) break;
        reader.read(facts, count * FACTS, at);
        count++;
        from = matcher.end();
      }
      at = buffer[from] === LF ? from + 1 : buffer.indexOf(LF, from) + 1;
    }
    return count;
  };
}
