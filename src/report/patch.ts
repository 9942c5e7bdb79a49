import {createTwoFilesPatch} from 'diff';
import type {Diagnosis} from '../analyze.ts';
import {type Change, edited, isSameKey} from '../config/edit.ts';
import type {Fix} from '../rules/rule.ts';
import {compareVersions, programOf, written} from '../rules/settings.ts';
import {instanceWithId} from '../timeline/lookup.ts';
import type {ConfiguredPlace, Instance} from '../timeline/timeline.ts';
import {printable} from './escape.ts';
import {inputName} from './place.ts';
import type {Reporter} from './reporter.ts';

/** The fixes that change a setting, as a unified diff of the configuration: for patch -p0, patch -p1 and git apply. */
export const patch: Reporter = {
  name: 'patch',
  render(diagnosis) {
    const chosen = chosenFixes(diagnosis);
    return (diagnosis.configuration?.files ?? [])
      .map((file, index) => {
        const own = chosen.filter(({place}) => place.heading.input === diagnosis.timeline.inputs.length + index);
        return own.length === 0
          ? ''
          : `${own.map(reason).join('')}${diffOf(file.name, file.text, edited(file, own.map(changeOf)))}`;
      })
      .join('');
  },
};

interface Chosen {
  readonly rule: string;
  readonly fix: Fix & {readonly setting: string; readonly value: string};
  readonly place: ConfiguredPlace;
  /** Where a file sets it now; null: nowhere. */
  readonly line: number | null;
}

/**
 * The best fix of each finding that is a setting of a file that was given; the fixes of a finding are alternatives. Where a file
 * sets it already, it is changed there, in an included file as well.
 */
function chosenFixes({findings, timeline, configuration}: Diagnosis): readonly Chosen[] {
  const chosen: Chosen[] = [];
  for (const {rule, fixes, instance: id} of findings) {
    const instance = instanceWithId(timeline.instances, id);
    if (instance === null) continue;
    for (const fix of fixes) {
      if (!isSetting(fix) || isTooNew(fix, instance)) continue;
      const server = serverOf(fix);
      const declared = written(instance, fix.setting, programOf(fix.section));
      // What a condition of the server's machine may set, a change cannot promise.
      if (declared?.unknown === 'condition') continue;
      const where = declared?.where;
      const entry = configuration?.files[(where?.input ?? -1) - timeline.inputs.length]?.entries.find(
        ({key, line}) => isSameKey(key, fix.setting) && line === where?.line,
      );
      // Set by a command line or a variable, against which a line of a file does nothing.
      if (where && entry === undefined) continue;
      const places = instance.configured.filter((place) => place.server === server);
      const first = places.find(({section}) => section === fix.section) ?? (places.length === 1 ? places[0] : undefined);
      if (first === undefined) continue;
      const place = where && entry ? {...first, heading: {...where, line: entry.line}, section: entry.section} : first;
      const isThere = chosen.some((other) => other.fix.setting === fix.setting && isSamePlace(other.place, place));
      if (!isThere) chosen.push({rule, fix, place, line: entry?.line ?? null});
      break;
    }
  }
  return chosen;
}

/** uWSGI of 2019: what runs in a version that the log does not tell is hardly older. */
const OLDEST = '2.0.18';

/** With an option that it does not know a server may not start. */
function isTooNew({since}: Fix, {version}: Instance): boolean {
  return since !== null && version === null && compareVersions(since, OLDEST) > 0;
}

function isSamePlace(a: ConfiguredPlace, b: ConfiguredPlace): boolean {
  return a.heading.input === b.heading.input && a.section === b.section;
}

function isSetting(fix: Fix): fix is Chosen['fix'] {
  return fix.setting !== null && fix.value !== null;
}

function serverOf({section}: Fix): ConfiguredPlace['server'] | null {
  if (section === 'uwsgi' || section === 'gunicorn') return section;
  if (section === 'Service') return 'systemd';
  if (section?.startsWith('services.')) return 'compose';
  if (section?.startsWith('pod:')) return 'kubernetes';
  return section?.startsWith('program') ? 'supervisord' : null;
}

function changeOf({fix: {setting, value}, place: {section}, line}: Chosen): Change {
  return {section, key: setting, value, line};
}

/** Lines before a diff are left alone by what applies it. */
function reason({rule, fix: {setting, value, safety, effect}}: Chosen): string {
  const risk = {safe: 'safe', 'may-cut-requests': 'may cut requests', 'needs-code': 'needs a change of the code'}[safety];
  return printable(`# ${setting} = ${value} (${rule}; ${risk}): ${effect.replaceAll('\n', ' ')}`).concat('\n');
}

/**
 * patch -p0 goes by the first name, patch -p1 and git apply by the second, since each takes the one that leads to a file. An
 * absolute path is given from the root: apply it there.
 */
function diffOf(name: string, before: string, after: string): string {
  if (before === after) return '';
  const path = inputName(name).replace(/^(\.?\/)+/, '');
  const [, ...diff] = createTwoFilesPatch(path, `b/${path}`, before, after, undefined, undefined, {context: 3}).split('\n');
  return diff.join('\n');
}
