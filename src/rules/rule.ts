import type {Severity} from '../severity.ts';
import type {LineRef} from '../timeline/event.ts';
import type {Timeline} from '../timeline/timeline.ts';

export type {Severity} from '../severity.ts';

/** `certain`: the log proves it. `likely`: it fits, and the named alternatives do not fit as well. `possible`: several fit equally. */
export type Confidence = 'certain' | 'likely' | 'possible';

export interface Evidence {
  readonly at: LineRef;
  /** What this line shows, as a fragment: "worker 1 was killed at the deadline". */
  readonly shows: string;
}

export interface Fix {
  readonly setting: string | null;
  readonly section: string | null;
  readonly value: string | null;
  /** The effect to expect, in figures of this log where they allow it. */
  readonly effect: string;
  /** The first version that has the setting; null where every version has it. */
  readonly since: string | null;
  readonly safety: 'safe' | 'may-cut-requests' | 'needs-code';
  /** Seconds that one occasion (a worker that is to leave) takes with it, as predicted; absent where none are. */
  readonly remaining?: number;
  readonly why: string;
  /** It was tried on a real server against this trouble. */
  readonly tried?: boolean;
}

/** What a fix that is made elsewhere has in place of a setting: in the code of the application, on the machine, by hand. */
export const NO_SETTING = {setting: null, section: null, value: null, since: null} as const;

/** How well another explanation fits, held against the one that the finding gives. */
export type Fit = 'equally' | 'less' | 'excluded';

export interface Alternative {
  /** A rule's id, or words. */
  readonly hypothesis: string;
  /** What speaks against it. */
  readonly because: string;
  /** The line that says so. */
  readonly line: number | null;
  /** What speaks for it, where something does. */
  readonly for?: string | null;
  /** Where several explanations were weighed. */
  readonly fits?: Fit;
  /** The one observation that would show it to be so. */
  readonly decides?: string | null;
}

export interface Finding {
  readonly title: string;
  /** What happened, what it cost, and what that rests on: a few sentences of plain words. */
  readonly message: string;
  /** Where the rule's usual severity does not hold. */
  readonly severity?: Severity;
  readonly confidence: Confidence;
  readonly instance: string | null;
  readonly reload: string | null;
  readonly pids: readonly number[];
  readonly workers: readonly number[];
  /** The lines that prove it. A finding that nobody can check is none. */
  readonly evidence: readonly [Evidence, ...Evidence[]];
  /** Other explanations, and what speaks for and against each; the best fitting first. */
  readonly against: readonly Alternative[];
  readonly cannotSee: readonly string[];
  /** Best first. */
  readonly fixes: readonly Fix[];
  /** Commands and observations that would decide what the log leaves open. */
  readonly next: readonly string[];
  /**
   * What tells this finding from others of the same rule in another run: words without lines, pids, times or
   * measured values, such as the instance's name or the kind of the reload.
   */
  readonly identity: readonly string[];
}

/** What a finding says of whom it concerns that is about no reload and no process of its own. */
export const NO_PROCESS = {reload: null, pids: [], workers: []} as const;

export interface RuleDocs {
  /** What the rule looks for in the log. */
  readonly sees: string;
  /** Why it matters: the mechanism, for someone who has never met it. */
  readonly why: string;
  /** What to do. */
  readonly remedy: string;
  /** When to disbelieve it. */
  readonly limits: string;
  readonly references: readonly string[];
}

/** What a rule cannot do without. */
export interface Needs {
  /** Any one of these messages, by name (`uwsgi/no-mercy`), makes the rule able to see its trouble. */
  readonly messages: readonly string[];
  /** The configuration of the server, which no log holds. */
  readonly configuration?: true;
  /** Anything else that makes it able to see. */
  readonly or?: (timeline: Timeline) => boolean;
  /** What would put them into the log, for a log that lacks them. */
  readonly otherwise: string;
}

/** The rule looked and can say neither yes nor no. */
export interface Undecided {
  readonly undecided: string;
}

export interface Rule {
  /** Names the trouble. Never reused. */
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly docs: RuleDocs;
  readonly needs: Needs | null;
  /** Settings that are the trouble itself: where a configuration has them, findings are located there. */
  readonly settings?: readonly string[];
  /** What it says rests on whose workers they are: where servers share a log that does not prove that, it is not certain. */
  readonly restsOnOwners?: true;
  /** Null is nothing: what no line of this log would prove is not told. */
  check(timeline: Timeline): Iterable<Finding | Undecided | null>;
}

export interface RuleResult {
  readonly id: string;
  readonly result: 'fired' | 'passed' | 'skipped' | 'undecided';
  readonly reason: string;
}

export interface RuleFinding extends Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** Stable over runs: built from the rule's id and the finding's identity. */
  readonly fingerprint: string;
}
