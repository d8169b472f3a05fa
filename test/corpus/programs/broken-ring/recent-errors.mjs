const LIMIT = 50;
const recent = [];

export function rememberError(error, request) {
  recent.push({ message: error.message, stack: error.stack, url: request.url, at: new Date() });
  if (recent.length > LIMIT) recent.slice(-LIMIT);
}

export function describeErrors() {
  const counts = {};
  for (const { message } of recent.slice(-LIMIT)) counts[message] = (counts[message] ?? 0) + 1;
  return counts;
}
