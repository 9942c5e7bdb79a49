import type {
  Artifact,
  ArtifactLocation,
  Location,
  Log,
  Notification,
  PhysicalLocation,
  ReportingDescriptor,
  Result,
  Suppression,
  ThreadFlowLocation,
} from 'sarif';
import manifest from '../../package.json' with {type: 'json'};
import type {Diagnosis} from '../analyze.ts';
import type {BaselineEntry} from '../checks/baseline.ts';
import {rules} from '../rules/index.ts';
import type {Evidence, Rule, RuleFinding, Severity} from '../rules/rule.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {printable, printableJson} from './escape.ts';
import {inShort} from './finding-words.ts';
import {inputName, mainPlace, type Place, placeOf} from './place.ts';
import type {Reporter} from './reporter.ts';
import {notUnderstood} from './understood.ts';

/** Code scanning shows 1,000 steps of a flow. */
const MOST_STEPS = 1000;
/** The name under which fingerprints are compared from run to run. Changing how they are made means a new name. */
const FINGERPRINT = 'logdoctor/v1';
const VERSION = manifest.version;

/** SARIF 2.1.0: each finding a result, its evidence the steps of a thread flow. */
export const sarif: Reporter = {
  name: 'sarif',
  render(diagnosis) {
    return `${printableJson(JSON.stringify(logOf(diagnosis), null, 2))}\n`;
  },
};

function logOf(diagnosis: Diagnosis): Log {
  const {timeline, findings, rules: results, baseline} = diagnosis;
  const asked = new Set(results.map(({id}) => id));
  const descriptors = rules.filter(({id}) => asked.has(id)).map(descriptor);
  const indexOf = new Map(descriptors.map(({id}, index) => [id, index]));
  const notifications = notificationsOf(diagnosis);
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {driver: {name: 'logdoctor', version: VERSION, semanticVersion: VERSION, rules: descriptors}},
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: notifications.every(({level}) => level !== 'error'),
            toolExecutionNotifications: notifications,
          },
        ],
        artifacts: [
          ...timeline.inputs.map(
            ({name, bytes}): Artifact => ({
              location: artifact(inputName(name)),
              length: bytes,
              roles: ['analysisTarget'],
            }),
          ),
          ...timeline.configurations.map(
            (name): Artifact => ({location: artifact(inputName(name)), roles: ['userSpecifiedConfiguration']}),
          ),
        ],
        results: [
          ...findings.map((finding) => ({
            ...resultOf(finding, indexOf.get(finding.rule), timeline),
            // Where one result tells its suppressions, all must: an empty list says that it counts.
            ...(baseline === undefined ? {} : {suppressions: []}),
          })),
          ...(baseline?.accepted ?? []).map(({entry, finding}) => ({
            ...resultOf(finding, indexOf.get(finding.rule), timeline),
            suppressions: [suppressionOf(entry)],
          })),
        ],
      },
    ],
  };
}

function descriptor({id, title, severity, docs}: Rule): ReportingDescriptor {
  return {
    id,
    shortDescription: {text: title},
    fullDescription: {text: docs.sees},
    help: {text: [docs.why, docs.remedy, docs.limits].filter((part) => part !== '').join('\n\n')},
    defaultConfiguration: {level: LEVELS[severity]},
  };
}

function resultOf(finding: RuleFinding, ruleIndex: number | undefined, timeline: Timeline): Result {
  const {rule, severity, confidence, title, evidence, fingerprint, instance, reload, workers, pids, cannotSee, fixes, next} =
    finding;
  const steps = evidence.slice(0, MOST_STEPS).map((line): ThreadFlowLocation => ({location: stepOf(line, timeline)}));
  return {
    ruleId: rule,
    ...(ruleIndex === undefined ? {} : {ruleIndex}),
    level: LEVELS[severity],
    message: {text: `${title} (${confidence}). ${inShort(finding)}`},
    locations: [{physicalLocation: physical(mainPlace(finding, timeline))}],
    codeFlows: [{threadFlows: [{locations: steps}]}],
    partialFingerprints: {[FINGERPRINT]: fingerprint},
    properties: {confidence, instance, reload, workers, pids, evidenceLines: evidence.length, cannotSee, fixes, next},
  };
}

/** A team has accepted the finding, in a file beside the log. */
function suppressionOf({reason, expires}: BaselineEntry): Suppression {
  return {
    kind: 'external',
    status: 'accepted',
    justification: expires === null ? reason : `${reason} (accepted up to ${expires})`,
  };
}

function stepOf({at, shows}: Evidence, timeline: Timeline): Location {
  const {artifactLocation, region} = physical(placeOf(at, timeline));
  const physicalLocation: PhysicalLocation = {
    ...(artifactLocation === undefined ? {} : {artifactLocation}),
    region: {...region, snippet: {text: at.text}},
  };
  return {physicalLocation, message: {text: shows === '' ? printable(at.text) : shows}};
}

function physical({input, line}: Place): PhysicalLocation {
  return {artifactLocation: artifact(input), region: {startLine: line}};
}

/** Relative names stay relative: a viewer looks for them in the repository. */
function artifact(name: string): ArtifactLocation {
  const path = name
    .replace(/^(?:\.\/)+/, '')
    .split('/')
    .map(encodeURIComponent)
    .join('/');
  if (/^[A-Za-z]:\//.test(name)) return {uri: `file:///${path.replace('%3A', ':')}`};
  return {uri: name.startsWith('/') ? `file://${path}` : path};
}

/** What stands in the way of a complete answer. */
function notificationsOf({timeline, errors, notes}: Diagnosis): Notification[] {
  const about = (level: Notification['level'] & string, input: string, text: string): Notification => ({
    level,
    message: {text: `${inputName(input)}: ${text}`},
    locations: [{physicalLocation: {artifactLocation: artifact(inputName(input))}}],
  });
  return [
    ...errors.map(({file, message}) => about('error', file, message)),
    ...notUnderstood(timeline).map(({input, why}) => about('error', input, why)),
    ...notes.map(({input, text}) => about('note', input, text)),
  ];
}

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {error: 'error', warning: 'warning', info: 'note'};
