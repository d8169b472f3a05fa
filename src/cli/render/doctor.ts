/** `drover doctor` for people: the verdict first, then what was found, most severe first, then where time goes. */
import type { Diagnosis, Finding, Place } from '../../cpu/index.ts';
import type { CliContext, Style } from '../context.ts';
import { toPlain, toPlainName, toShownPath } from './plain.ts';

const COLOURS: Readonly<Record<Finding['severity'], Style>> = { high: 'red', medium: 'yellow', low: 'cyan' };
const VERDICT_COLOURS: Readonly<Record<Diagnosis['verdict'], Style>> = {
  findings: 'red',
  inconclusive: 'yellow',
  healthy: 'green',
};

export function renderDiagnosis(diagnosis: Diagnosis, context: CliContext): string {
  const { verdict, reason, findings, hotspots, runTime } = diagnosis;
  const { paint } = context;
  const lines = [paint('bold', paint(VERDICT_COLOURS[verdict], describe(verdict, reason)))];
  if (runTime.samples > 0)
    lines.push(
      `busy for ${runTime.busyMs.toFixed(0)} ms of ${runTime.wallMs.toFixed(0)} ms${runTime.isScript ? ' (a script: all of it while its modules were evaluated)' : ' at run time, the start not counted'}; ${runTime.samples} samples`,
    );
  for (const [at, finding] of findings.entries()) lines.push('', ...renderFinding(finding, at + 1, context));
  if (hotspots.length > 0) {
    lines.push('', paint('bold', 'where the time goes, whether or not it can be changed'));
    for (const { name, url, line, share } of hotspots)
      lines.push(
        `  ${formatShare(share).padStart(6)}  ${toPlainName(name)} ${paint('dim', renderPlace(url, line))}`.trimEnd(),
      );
  }
  return lines.join('\n');
}

const describe = (verdict: Diagnosis['verdict'], reason: string): string =>
  verdict === 'findings' ? reason : `${verdict}: ${reason}`;

function renderFinding(finding: Finding, number: number, { paint }: CliContext): string[] {
  const { id, title, severity, share, where, evidence, remedy, expectedGain } = finding;
  return [
    `${paint('bold', `${number}. ${toPlain(title)}`)} ${paint(COLOURS[severity], severity)} ${paint('dim', id)}`,
    ...(where === null ? [] : [`   at ${renderWhere(where)}`]),
    ...(share === null ? [] : [`   ${formatShare(share)} of the time in which the loop was busy`]),
    ...evidence.map((line) => `   - ${toPlain(line)}`),
    `   what to change: ${toPlain(remedy.text)}`,
    ...remedy.code.split('\n').map((line) => paint('dim', `     ${toPlain(line)}`)),
    ...(expectedGain === null
      ? []
      : [
          `   expected gain: ${formatShare(expectedGain.from)} to ${formatShare(expectedGain.to)} of the busy time (${toPlain(expectedGain.basis)})`,
        ]),
  ];
}

const renderWhere = ({ name, url, line, hotLine }: Place): string => {
  const place = renderPlace(url, hotLine ?? line);
  return place === '' ? toPlainName(name) : `${place} (${toPlainName(name)})`;
};

const renderPlace = (url: string, line: number): string => {
  const path = toShownPath(url);
  return path === '' ? '' : toPlain(line > 0 ? `${path}:${line}` : path);
};

const formatShare = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
