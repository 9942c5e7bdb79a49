import type {LogEvent} from '../timeline/event.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {SAY_STOP, WAIT_LONGER} from './container-fixes.ts';
import {type Finding, NO_PROCESS} from './rule.ts';
import {evidence, list, proof, sentences, unique} from './wording.ts';

/** Seconds that docker waits where nobody has told it otherwise; then it kills, which takes a moment. */
const DEFAULT = 10;
const MOMENT = 2;

/** Containers for whose stop docker compose needed just the time after which docker kills. It writes no line of a kill. */
export function stopsAtDefault(timeline: Timeline): Finding | null {
  const stops = timeline.events.filter((event) => event.message === 'container/stopped-by-compose' && isAtDefault(event));
  const lines = evidence(
    stops
      .slice(0, 6)
      .map((event) => proof(event, `it took compose ${event.fields['took']} s to stop ${event.fields['program']}`)),
  );
  if (!lines) return null;
  const names = list(unique(stops.map(({fields}) => String(fields['program']))), 4);
  const several = stops.length > 1;
  return {
    title: `Docker probably killed ${names}: stopping took just the 10 s that it waits`,
    severity: 'warning',
    message: sentences(
      `It took docker compose 10 s to stop ${names}. That is proved. Unless it is told otherwise, docker sends SIGTERM, waits 10 s and kills with SIGKILL:`,
      `so ${several ? 'the containers' : 'the container'} most likely did not stop by ${several ? 'themselves' : 'itself'}. Then requests that were running were cut.`,
    ),
    confidence: 'likely',
    instance: null,
    ...NO_PROCESS,
    evidence: lines,
    against: [
      {
        hypothesis: 'it stopped by itself in that time',
        because: 'it would have had to take the same time as the limit; docker inspect shows the exit code (137: killed)',
        line: null,
      },
    ],
    cannotSee: [
      'whether the server got SIGTERM: a shell as the first process passes nothing on, and a uWSGI without die-on-term reloads',
      'what it waited for',
    ],
    fixes: [SAY_STOP, WAIT_LONGER],
    next: ["docker inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}}' CONTAINER   # 137: it was killed"],
    identity: ['compose 10 s', names],
  };
}

function isAtDefault({fields}: LogEvent): boolean {
  const took = Number(fields['took']);
  return took >= DEFAULT && took < DEFAULT + MOMENT;
}
