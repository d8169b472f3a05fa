let current = null;

function openConnection(number) {
  return {
    number,
    host: `db-${number % 3}.internal`,
    openedAt: Date.now(),
    scratch: Array.from({ length: 200 }, (_, index) => `${number}:${index}`),
  };
}

function replaceConnection(number) {
  const previous = current;
  const details = openConnection(number);
  // For the log line of a failed switch.
  const describeSwitch = () => (previous ? `switch from ${previous.number} to ${details.number}` : 'first');
  if (details.host === '') throw new Error(describeSwitch());
  current = {
    number,
    send(message) {
      return `${details.host} <- ${message}`;
    },
  };
}

exports.reconnect = async (number) => {
  replaceConnection(number);
  return current.send('ping');
};
