import {createHash} from 'node:crypto';
import type {RuleFinding} from '../rules/rule.ts';
import {printableJson} from './escape.ts';
import {inShort} from './finding-words.ts';
import {mainPlace} from './place.ts';
import type {Reporter} from './reporter.ts';

/** The Code Quality report of GitLab, the part of Code Climate's format that its merge requests read. */
export const gitlab: Reporter = {
  name: 'gitlab',
  render({findings, timeline}) {
    const issues = findings.map((finding) => {
      const {input, line} = mainPlace(finding, timeline);
      const path = input.replace(/^(?:\.\/)+/, '');
      return {
        type: 'issue',
        check_name: finding.rule,
        description: `${finding.title} (${finding.confidence})`,
        content: {body: inShort(finding)},
        categories: ['Bug Risk'],
        severity: SEVERITIES[finding.severity],
        // Two logs can show the same trouble, and GitLab shows one issue for each fingerprint.
        fingerprint: createHash('sha256').update(`${finding.fingerprint}\0${path}`).digest('hex').slice(0, 32),
        location: {path, lines: {begin: line}},
      };
    });
    return `${printableJson(JSON.stringify(issues, null, 2))}\n`;
  },
};

const SEVERITIES: Readonly<Record<RuleFinding['severity'], string>> = {error: 'critical', warning: 'major', info: 'info'};
