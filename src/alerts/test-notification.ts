/** What a receiver is told to try it out: an alert like any other, and marked as what it is wherever it can be seen. */
import type { AlertNotificationDocument } from '../protocol/index.ts';

/** `at`: ISO 8601. */
export const testNotification = (at: string, id: string): AlertNotificationDocument => ({
  id: `test-${id}`,
  group: 'daemon',
  kind: 'test',
  at,
  alerts: [
    {
      id: `test-${id}`,
      fingerprint: '0000000000000000',
      name: 'drover-test',
      app: null,
      severity: 'notice',
      status: 'firing',
      // Of its own each time: an Alertmanager tells nobody of what it has told already.
      labels: { test: 'true', test_id: id },
      summary: 'This is a test. Nothing is wrong.',
      description: 'Somebody asked Drover to try out this receiver (`drover alerts test`). It ends by itself.',
      evidence: [],
      startedAt: at,
      endsAt: null,
      mutedBy: [],
    },
  ],
});
