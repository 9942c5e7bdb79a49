/** The fixes of a whole report, made to agree: each rule knows its own trouble only. */
import {groupBy} from '../timeline/group.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import type {Fix, RuleFinding} from './rule.ts';
import {configured, isOn, mayHave, programOf, setting} from './settings.ts';
import {unique} from './wording.ts';

/** Settings that cannot both be followed: the second is left out where the first is advised, or is set. */
const EXCLUDES: readonly (readonly [string, string])[] = [
  // It acts at the fork, before which lazy-apps loads nothing.
  ['lazy-apps', 'py-call-uwsgi-fork-hooks'],
  ['lazy', 'py-call-uwsgi-fork-hooks'],
];

/**
 * - A setting that the server's version does not have is not advised.
 * - Of one server no setting is advised with two values. Where they differ the more patient holds, for work is worth more
 *   than time; what would have asked for less says so.
 * - More patience than whoever runs the server has is advised only together with more of that.
 * - What is set already is not advised again.
 * - Best first: by the seconds that remain, where a fix tells them.
 */
export function reconcile(findings: readonly RuleFinding[], timeline: Timeline): RuleFinding[] {
  const byInstance = groupBy(findings, ({instance}) => instance);
  const agreed = new Map(
    timeline.instances.map((instance) => [
      instance.id,
      {instance, chosen: agreedFor(instance, byInstance.get(instance.id) ?? [])},
    ]),
  );
  return findings.map((finding) => {
    const {instance, chosen} = agreed.get(finding.instance ?? '') ?? {};
    if (instance === undefined || chosen === undefined) return finding;
    const next: string[] = [];
    const fixes = finding.fixes.flatMap((fix): Fix[] => {
      if (fix.setting === null || fix.value === null) return [fix];
      const other = chosen.get(keyOf(fix));
      if (other === undefined || !mayHave(instance, fix.since)) return [];
      if (isSet(instance, fix)) {
        next.push(`${fix.setting} = ${fix.value} is set already, and was not enough: look for another cause`);
        return [];
      }
      if (other.value === fix.value || isLess(fix, instance) === isLess(other, instance)) {
        next.push(...withOuter(instance, other));
        return [other.value === fix.value ? fix : other];
      }
      next.push(`${fix.setting} is not lowered here: what else this report found needs ${other.value}`);
      return [];
    });
    return {...finding, fixes: ranked(fixes), next: unique([...finding.next, ...next])};
  });
}

/** The value that holds for each setting that these findings on an instance advise. */
function agreedFor(instance: Instance, findings: readonly RuleFinding[]): ReadonlyMap<string, Fix> {
  const chosen = new Map<string, Fix>();
  for (const fix of findings.flatMap(({fixes}) => fixes)) {
    if (fix.setting === null || fix.value === null || !mayHave(instance, fix.since)) continue;
    const known = chosen.get(keyOf(fix));
    if (known === undefined || Number(fix.value) > Number(known.value)) chosen.set(keyOf(fix), fix);
  }
  for (const [first, second] of EXCLUDES) {
    const isFirst = [...chosen.values()].some((fix) => fix.setting === first) || isOn(instance, first);
    for (const [key, fix] of chosen) if (isFirst && fix.setting === second) chosen.delete(key);
  }
  return chosen;
}

function keyOf({section, setting: name}: Fix): string {
  return `${section} ${name}`;
}

function isSet(instance: Instance, fix: Fix): boolean {
  const program = programOf(fix.section);
  const name = fix.setting ?? '';
  const now = program === null ? setting(instance, name) : configured(instance, name, program);
  if (now === null || fix.value === null) return false;
  const on = /^(true|1|yes|on)$/i;
  return String(now.value) === fix.value || (on.test(fix.value) && on.test(String(now.value)));
}

const INNER = new Set(['worker-reload-mercy', 'graceful_timeout']);

/** The time limit of supervisord or systemd must stay the longer one. */
function withOuter(instance: Instance, {setting: name, value}: Fix): string[] {
  if (name === null || !INNER.has(name) || !(Number(value) > Number(setting(instance, name)?.value))) return [];
  const needed = Number(value) + 1;
  return ['stopwaitsecs', 'TimeoutStopSec'].flatMap((outer) => {
    const limit = Number(setting(instance, outer)?.value ?? Number.NaN);
    return limit <= needed
      ? [`raise ${outer} (now ${limit} s) above ${needed} s together with ${name}: the outer limit must be the longer one`]
      : [];
  });
}

function isLess({setting: name, value}: Fix, instance: Instance): boolean {
  const now = Number(name === null ? Number.NaN : setting(instance, name)?.value);
  return Number(value) < now;
}

function ranked(fixes: readonly Fix[]): Fix[] {
  const left = ({remaining}: Fix) => remaining ?? Number.POSITIVE_INFINITY;
  return [...fixes].sort((a, b) => (left(a) === left(b) ? 0 : left(a) - left(b)));
}
