/** What a user should know when the command and the daemon are of different versions. Pure. */
import { compareVersions } from '../program/index.ts';

/** One line; null where they are of the same version. */
export const describeDifference = (own: string, daemon: string): string | null => {
  if (own === daemon) return null;
  return compareVersions(own, daemon) > 0
    ? `the daemon runs Drover ${daemon}, and this command is of ${own}: \`drover daemon upgrade\` brings the daemon up to it; apps do not notice.`
    : `the daemon runs Drover ${daemon}, and this command is of ${own}, an older one: install ${daemon} here too (\`drover daemon upgrade\` never goes back).`;
};
