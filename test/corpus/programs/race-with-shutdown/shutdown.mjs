let resolveStopped;

export const stopped = new Promise((resolve) => {
  resolveStopped = resolve;
});

export function stop(reason) {
  resolveStopped({ stopped: true, reason });
}
