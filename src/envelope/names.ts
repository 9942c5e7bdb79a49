import envelope from '../../grammars/envelope.ohm';
import origin from '../../grammars/origin.ohm';

/** What layers are called in reports where that is not the name of their rule. */
const NAMES: Readonly<Record<string, string>> = {time: 'timestamp', 'full-time': 'timestamp', tag: 'syslog'};

/** What tools write between the lines: nothing is in it. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  'boot-mark',
  'journal-mark',
  'catalogue',
  'blob',
  'journal-hint',
  'fence',
  'tool-mark',
  'table-mark',
  'last-repeated',
  'host-alone',
]);

/** What a program's own logger puts in front of its lines. */
const OWN_STAMPS: ReadonlySet<string> = new Set(['leveled-time', 'asctime']);

/** What stands in front of an origin. */
const FRONTS: ReadonlySet<string> = new Set(['time', 'full-time', 'monotonic', 'tai64n', 'syslog-priority']);

/** Records of which a line is a value; see `recordsOf`. */
const RECORDS = [
  'journal-json',
  'docker-json',
  'cloudwatch-json',
  'google-json',
  'loki',
  'uwsgi-stats',
  'docker-inspect',
  'json',
];

/** No envelope at all. */
export const PLAIN = 'plain';

export function layerName(rule: string): string {
  return NAMES[rule] ?? rule;
}

const isEnvelope = (rule: string) => !ANNOTATIONS.has(rule) && !OWN_STAMPS.has(rule);

/** Every envelope by the name that reports and `--envelope` use. */
export const envelopeNames: readonly string[] = [
  ...new Set([...[...envelope.messages, ...origin.messages].filter(isEnvelope).map(layerName), ...RECORDS]),
].sort();

/** The envelopes that may be peeled, where somebody names them. What a program itself writes around its words always is. */
export class EnvelopeChoice {
  private readonly names: ReadonlySet<string>;
  private readonly hasOrigin: boolean;

  constructor(names: readonly string[]) {
    this.names = new Set(names);
    this.hasOrigin = origin.messages.some((rule) => isEnvelope(rule) && this.names.has(layerName(rule)));
  }

  /** Whether a rule is to be asked. `time` always is: it may be the supervisor's own stamp. */
  readonly asks = (rule: string): boolean => rule === 'time' || this.allows(rule);

  /** Whether what a rule matched, or a record of this name, may be peeled. */
  allows(rule: string): boolean {
    return !isEnvelope(rule) || this.names.has(layerName(rule)) || (this.hasOrigin && FRONTS.has(rule));
  }
}
