import { OrgChart } from './org-chart.ts';

const chart = new OrgChart();
chart.add('research', 'company');

/** A project has teams for as long as it runs. */
export async function runProject(number: number): Promise<number> {
  const project = `project ${number}`;
  chart.add(project, 'research');
  for (const team of ['design', 'build', 'test']) {
    chart.add(`${project} ${team}`, project).members.push(`${team} lead`, `${team} second`);
  }
  const size = [...chart.root.walk()].length;
  chart.dissolve(project);
  return size;
}
