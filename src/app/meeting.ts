/** Finds the agent, which is there before the app is, or nobody: then every call is safe and the library works alone. */
import { MEETING_NAME, type AgentSide, type AppSide, type Meeting } from '../protocol/index.ts';

/** Joins the meeting in this process; null where there is none. */
export function joinMeeting(side: AppSide, scope: object = globalThis): AgentSide | null {
  const meeting = (scope as Record<symbol, Partial<Meeting> | undefined>)[Symbol.for(MEETING_NAME)];
  if (typeof meeting?.join !== 'function' || meeting.agent === undefined) return null;
  meeting.join(side);
  return meeting.agent;
}
